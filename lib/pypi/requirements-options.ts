/**
 * The options of a line in a requirements file, taken apart as pip's parser takes them.
 * @see https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options
 */
import { RequirementError } from '../errors.js'

/** An option by its long name, such as `--index-url`. */
export interface LineOption {
  readonly name: string
  /** `undefined` for an option that takes none. */
  readonly value: string | undefined
}

const WITH_VALUE = [
  '--index-url',
  '--extra-index-url',
  '--find-links',
  '--requirement',
  '--constraint',
  '--editable',
  '--no-binary',
  '--only-binary',
  '--trusted-host',
  '--use-feature',
  '--hash',
  '--global-option',
  '--config-settings'
]
const WITHOUT_VALUE = ['--no-index', '--prefer-binary', '--require-hashes', '--pre']
const SHORT: Readonly<Record<string, string>> = {
  i: '--index-url',
  f: '--find-links',
  r: '--requirement',
  c: '--constraint',
  e: '--editable',
  C: '--config-settings'
}
const WORD = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g

/** Divides a line into the requirement and the options behind it; either may be missing. */
export function divideLine(text: string): { readonly requirement: string; readonly options: string } {
  const start = /(?:^|\s)-/.exec(text)?.index ?? text.length
  return { requirement: text.slice(0, start).trim(), options: text.slice(start).trim() }
}

/** Takes options apart. @throws {@link RequirementError} for one that pip does not know, or without its value. */
export function parseLineOptions(text: string, where: string): LineOption[] {
  const fail = (why: string): never => {
    throw new RequirementError(text, why, where)
  }
  if (text.replace(WORD, '').trim() !== '') fail('a quote is not closed')
  const words = (text.match(WORD) ?? []).map(unquote)
  const options: LineOption[] = []
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, long, equals, short, behind] = /^(?:(--[\w-]+)(?:=(.*))?|-(\w)(.+)?)$/s.exec(word) ?? []
    const name = long === undefined ? SHORT[short ?? ''] : completed(long)
    if (name === undefined) return fail(`pip has no option ${word.replace(/=.*/s, '')} in such a file`)
    const attached = equals ?? behind
    if (WITHOUT_VALUE.includes(name)) {
      if (attached !== undefined) fail(`the option ${name} takes no value`)
      options.push({ name, value: undefined })
    } else
      options.push({ name, value: attached ?? words.shift() ?? fail(`the option ${name} needs a value`) })
  }
  return options
}

/** A long option may be cut short as long as only one begins that way. */
function completed(name: string): string | undefined {
  const all = [...WITH_VALUE, ...WITHOUT_VALUE]
  if (all.includes(name)) return name
  const candidates = all.filter(option => option.startsWith(name))
  return candidates.length === 1 ? candidates[0] : undefined
}

function unquote(word: string): string {
  return word.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
    (_, double?: string, single?: string, escaped?: string) =>
      (double?.replace(/\\(["\\])/g, '$1') ?? single ?? escaped) as string
  )
}
