/**
 * Reads specifiers that are slightly wrong, as the real index holds them in requires-python: what uv mends, we mend.
 * The reading by the rules comes first, and the first repair after which it succeeds is the last.
 */
import { parseSpecifiers, type Specifier } from './specifier.js'

/** Specifiers that could be read, and what had to be done for it. */
export interface ReadSpecifiers {
  readonly specifiers: readonly Specifier[]
  /** What was repaired, in order; empty where nothing had to be. */
  readonly repairs: readonly string[]
}

/** What to replace, by what, and how to name it. Each is followed by the text in which it was seen, and where. */
const REPAIRS: readonly (readonly [pattern: RegExp, replacement: string, name: string])[] = [
  // `>=7.2.0<8.0.0` (elasticsearch-dsl)
  [/(?<=[\w*])\s*(?=[<>=~!]=|[<>])/g, ',', 'put a comma between two specifiers'],
  // `!=~5.0` (jupyter-core)
  [/!=~\s*([\d.]+)/g, '!=$1.*', 'took !=~ for != with .*'],
  // `>=1.9.*` (torch), `<3.4.*` (wincertstore)
  [/([<>]=?\s*\d[\d.]*)\.\*/g, '$1', 'took away .* after a comparison'],
  // `!=3.0*` (pyzmq)
  [/(\d)\*/g, '$1.*', 'put the dot before *'],
  // `>dev` (celery, for pytz)
  [/>\s*dev\b/g, '>0.dev0', 'took >dev for >0.dev0'],
  // `>=9.0.0a1.0`
  [/(\d(?:a|b|rc|post|dev)\d+)\.0\b/g, '$1', 'took away .0 after a pre-release'],
  // `>= '2.7'` (shellingham), `>=3.6'` (okta)
  [/['"]/g, '', 'took away quotes']
]

/** Reads specifiers, repaired if need be; `undefined` where they cannot be read all the same. */
export function readSpecifiers(text: string): ReadSpecifiers | undefined {
  const strict = tryToRead(text)
  if (strict !== undefined) return { specifiers: strict, repairs: [] }
  const repairs: string[] = []
  for (const [pattern, replacement, name] of REPAIRS) {
    const repaired = text.replace(pattern, replacement)
    if (repaired === text) continue
    text = repaired
    repairs.push(name)
    const specifiers = tryToRead(text)
    if (specifiers !== undefined) return { specifiers, repairs }
  }
  return undefined
}

function tryToRead(text: string): readonly Specifier[] | undefined {
  try {
    return parseSpecifiers(text)
  } catch {
    return undefined
  }
}
