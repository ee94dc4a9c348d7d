/**
 * Checks of option values. Each message has three parts: the option, the rule, the value with its type.
 */
import { OptionError } from './errors.js'
import { redactUrl } from './http/redact.js'

/** Shows a value for an error message, with its type and never longer than a line. */
function show(value: unknown): string {
  if (typeof value === 'string')
    return `string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`
  if (value === null || typeof value !== 'object') return `${typeof value} ${String(value)}`
  return Array.isArray(value) ? `an array of ${value.length}` : `an object`
}

/** Returns `value` when it is a whole number between `min` and `max`, both included. @throws {@link OptionError} */
export function integer(
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`
  throw new OptionError(name, `a whole number ${range}`, show(value))
}

/** Returns `value` when it is a finite number between `min` and `max`, both included. @throws {@link OptionError} */
export function finite(name: string, value: unknown, min: number, max: number = Number.MAX_VALUE): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_VALUE ? `of ${min} or more` : `from ${min} to ${max}`
  throw new OptionError(name, `a number ${range}`, show(value))
}

/** Returns `value` when it is one of `allowed`. @throws {@link OptionError} */
export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if ((allowed as readonly unknown[]).includes(value)) return value as T
  throw new OptionError(name, `one of ${allowed.map(word => `'${word}'`).join(', ')}`, show(value))
}

/** Returns `value` when it is a string with at least one character. @throws {@link OptionError} */
export function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new OptionError(name, 'a string that is not empty', show(value))
}

/** Returns `value` as a URL when it is an absolute `http:` or `https:` one. @throws {@link OptionError} */
export function httpUrl(name: string, value: unknown): URL {
  if (typeof value === 'string' || value instanceof URL) {
    const url = URL.canParse(String(value)) ? new URL(String(value)) : undefined
    if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  }
  const shown = typeof value === 'string' || value instanceof URL ? redactUrl(value) : value
  throw new OptionError(name, 'an absolute http: or https: URL', show(shown))
}
