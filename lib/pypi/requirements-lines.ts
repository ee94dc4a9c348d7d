/**
 * The text of a requirements file, as pip makes lines of it: decoded, continuations joined, comments taken away,
 * environment variables put in.
 * @see https://pip.pypa.io/en/stable/reference/requirements-file-format/
 */
import { RequirementError } from '../errors.js'

/** One line that says something, with the number of the first line that it was written on. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** Byte order marks, the longer before the shorter that begins the same way. */
const MARKS: readonly (readonly [mark: string, encoding: string])[] = [
  ['efbbbf', 'utf-8'],
  ['fffe0000', 'utf-32le'],
  ['0000feff', 'utf-32be'],
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be']
]

/**
 * Decodes by the byte order mark, or by a `coding:` comment in the first two lines (PEP 263), or as UTF-8.
 * @throws {@link RequirementError} for an encoding that is not known, or other bytes than it allows.
 */
export function decodeRequirements(data: Uint8Array, path: string): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const start = bytes.subarray(0, 4).toString('hex')
  const marked = MARKS.find(([mark]) => start.startsWith(mark))?.[1]
  const encoding = marked ?? declaredEncoding(bytes) ?? 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    const why = error instanceof RangeError ? 'is not known' : 'does not allow its bytes'
    throw new RequirementError('', `the encoding ${encoding} ${why}`, path)
  }
}

function declaredEncoding(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 1000).toString('latin1').split('\n').slice(0, 2)
  const named = head.map(line => /^#.*?coding[:=]\s*([-\w.]+)/.exec(line)?.[1]).find(Boolean)
  // The one name that people write in Python's way and the encoding standard does not know.
  return named?.replace(/^latin[-_]/i, 'latin')
}

/** Makes lines of a text. A variable that is not set, or empty, stays as it is written. */
export function* requirementLines(
  content: string,
  env: Readonly<Record<string, string | undefined>>
): Generator<Line> {
  for (const { number, text } of joinedLines(content.split(/\r\n|[\n\r\v\f]/))) {
    const bare = text.replace(/(?:^|\s+)#.*$/, '').trim()
    if (bare === '') continue
    yield { number, text: bare.replace(/\$\{([A-Z0-9_]+)\}/g, (found, name: string) => env[name] || found) }
  }
}

function* joinedLines(lines: readonly string[]): Generator<Line> {
  let joined = ''
  let first = 0
  for (const [index, line] of lines.entries()) {
    // A comment ends what was to be continued, even if it ends with a backslash itself.
    const comment = /^\s*#/.test(line)
    if (joined === '') first = index + 1
    joined += comment ? ` ${line}` : line.replace(/\\+$/, '')
    if (line.endsWith('\\') && !comment) continue
    yield { number: first, text: joined }
    joined = ''
  }
  yield { number: first, text: joined }
}
