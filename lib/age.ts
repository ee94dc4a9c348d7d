/**
 * Ages as people write them: `36h`, `7d`, `2w`.
 */
import { OptionError } from './errors.js'

const HOUR_MS = 3_600_000
const UNIT_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS, w: 168 * HOUR_MS }
const AGE = /^(\d+)([hdw])$/i

/** An age in ms; `undefined` when the value is none. */
export function parseAge(value: unknown): number | undefined {
  const [, count, unit = ''] = (typeof value === 'string' && AGE.exec(value)) || []
  return count === undefined ? undefined : Number(count) * (UNIT_MS[unit.toLowerCase()] as number)
}

/** An option's age in ms. @throws {@link OptionError} */
export function age(name: string, value: unknown): number {
  const found = parseAge(value)
  if (found !== undefined) return found
  throw new OptionError(name, "an age in hours, days or weeks, such as '36h', '7d' or '2w'", String(value))
}
