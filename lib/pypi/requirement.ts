/**
 * Requirements as PEP 508 defines them: `name[extra]>=1.0; python_version < "3.9"` or `name @ URL`.
 * @see https://packaging.python.org/en/latest/specifications/dependency-specifiers/
 */
import type { RequirementError } from '../errors.js'
import { formatMarker, type Marker, scanMarker } from './marker.js'
import { normalizeName } from './name.js'
import { Scanner } from './scanner.js'
import { formatSpecifier, parseSpecifiers, type Specifier } from './specifier.js'

/** A requirement taken apart. */
export interface Requirement {
  /** As written. */
  readonly name: string
  /** Normalised name (PEP 503). */
  readonly project: string
  /** As written, in their order. */
  readonly extras: readonly string[]
  /** Empty where every version will do. */
  readonly specifiers: readonly Specifier[]
  /** Where the file lies, for `name @ URL`. */
  readonly url: string | undefined
  /** For which environments it counts; `undefined` for all. */
  readonly marker: Marker | undefined
  /** `FILE:LINE` when it came from a file. */
  readonly where?: string | undefined
}

const IDENTIFIER = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/y
const CLAUSE = /(?:===[ \t]*[^\s;)]+|(?:==|~=|!=|<=|>=|<|>)[ \t]*[^\s,;()<>=~]+)/y

/**
 * Reads a requirement.
 * @param where `FILE:LINE`, for the message.
 * @throws {@link RequirementError} which says at which character it stopped.
 */
export function parseRequirement(text: string, where?: string): Requirement {
  const scanner = new Scanner(text, where)
  scanner.space()
  const name = scanner.expect(IDENTIFIER, 'the name of a project')
  scanner.space()
  const extras = scanExtras(scanner)
  scanner.space()
  const url = scanUrl(scanner)
  const specifiers = url === undefined ? scanSpecifiers(scanner) : []
  const marker = scanner.take(/;/y) === undefined ? undefined : scanMarker(scanner)
  if (!scanner.atEnd)
    throw scanner.error(
      marker === undefined ? 'expected a specifier, ; or the end' : 'expected and, or, or the end'
    )
  return { name, project: normalizeName(name), extras, specifiers, url, marker, where }
}

function scanExtras(scanner: Scanner): string[] {
  const extras: string[] = []
  if (scanner.take(/\[[ \t]*/y) === undefined) return extras
  if (scanner.take(/\]/y) !== undefined) return extras
  do extras.push(scanner.expect(IDENTIFIER, 'the name of an extra'))
  while (scanner.take(/[ \t]*,[ \t]*/y) !== undefined)
  scanner.expect(/[ \t]*\]/y, ', or ] after an extra')
  return extras
}

function scanUrl(scanner: Scanner): string | undefined {
  if (scanner.take(/@[ \t]*/y) === undefined) return undefined
  const url = scanner.expect(/\S+/y, 'a URL after @')
  // A `;` right after the URL belongs to it, so a marker needs a blank before.
  scanner.space()
  return url
}

function scanSpecifiers(scanner: Scanner): readonly Specifier[] {
  const parenthesis = scanner.take(/\([ \t]*/y) !== undefined
  const start = scanner.position
  const clauses: string[] = []
  for (let clause = scanner.take(CLAUSE); clause !== undefined; clause = scanner.take(CLAUSE)) {
    clauses.push(clause)
    scanner.space()
    if (scanner.take(/,[ \t]*/y) === undefined) break
  }
  if (parenthesis) scanner.expect(/\)[ \t]*/y, ') after the specifiers')
  try {
    return parseSpecifiers(clauses.join(','))
  } catch (error) {
    throw scanner.error((error as RequirementError).why, start)
  }
}

/** Writes a requirement in its normal form; equal requirements give equal texts, but for the order of their parts. */
export function formatRequirement({ project, extras, specifiers, url, marker }: Requirement): string {
  return [
    project,
    extras.length === 0 ? '' : `[${extras.map(normalizeName).sort().join(',')}]`,
    url === undefined ? specifiers.map(formatSpecifier).sort().join(',') : ` @ ${url}`,
    marker === undefined ? '' : `${url === undefined ? '' : ' '}; ${formatMarker(marker)}`
  ].join('')
}
