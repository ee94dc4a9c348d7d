/**
 * Environment markers: the part of a requirement after `;`. Read and kept, never evaluated: a mirror serves
 * environments other than its own.
 * @see https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
 */
import { normalizeName } from './name.js'
import type { Scanner } from './scanner.js'

/** One side of a comparison. */
export type MarkerValue = { readonly variable: string } | { readonly literal: string }

/** A comparison, or markers joined by `and` or `or`. */
export type Marker =
  | { readonly left: MarkerValue; readonly operator: string; readonly right: MarkerValue }
  | { readonly join: 'and' | 'or'; readonly markers: readonly Marker[] }

const VARIABLE = new RegExp(
  `(?:${[
    'python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)',
    'platform[._](?:version|machine|python_implementation)|python_implementation',
    'implementation_(?:name|version)|extras?|dependency_groups'
  ].join('|')})\\b`,
  'y'
)
const QUOTED = /'[^']*'|"[^"]*"/y
const OPERATOR = /===|==|~=|!=|<=|>=|<|>/y
/** What Python's string literals allow after a backslash; a lone backslash before anything else stays. */
const ESCAPE = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|([\\'"nrt])|(x|u|$))/gi
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** Reads a marker from where the scanner stands. */
export function scanMarker(scanner: Scanner): Marker {
  const alternatives = [scanAll(scanner)]
  while (scanner.take(/or\b/y) !== undefined) alternatives.push(scanAll(scanner))
  return joined('or', alternatives)
}

/** `and` binds more tightly than `or`. */
function scanAll(scanner: Scanner): Marker {
  const parts = [scanAtom(scanner)]
  while (scanner.take(/and\b/y) !== undefined) parts.push(scanAtom(scanner))
  return joined('and', parts)
}

function joined(join: 'and' | 'or', markers: readonly Marker[]): Marker {
  return markers.length === 1 ? (markers[0] as Marker) : { join, markers }
}

function scanAtom(scanner: Scanner): Marker {
  scanner.space()
  if (scanner.take(/\(/y) !== undefined) {
    const marker = scanMarker(scanner)
    scanner.expect(/\)/y, ') after the marker')
    scanner.space()
    return marker
  }
  const left = scanValue(scanner)
  const operator = scanOperator(scanner)
  const right = scanValue(scanner)
  return { left, operator, right }
}

function scanOperator(scanner: Scanner): string {
  if (scanner.take(/not\b/y) !== undefined) {
    scanner.expect(/[ \t]+in\b/y, 'in after not')
    scanner.space()
    return 'not in'
  }
  const operator = scanner.take(/in\b/y) ?? scanner.expect(OPERATOR, 'a comparison such as == or in')
  scanner.space()
  return operator
}

function scanValue(scanner: Scanner): MarkerValue {
  const { position } = scanner
  const quoted = scanner.take(QUOTED)
  if (quoted === undefined) {
    const variable = scanner.expect(VARIABLE, 'a marker variable or a quoted text').replace('.', '_')
    scanner.space()
    return { variable: variable === 'python_implementation' ? `platform_${variable}` : variable }
  }
  const literal = quoted
    .slice(1, -1)
    .replace(ESCAPE, (_, hex?: string, unicode?: string, single?: string) => {
      if (single !== undefined) return ESCAPED[single] ?? single
      const code = hex ?? unicode
      if (code === undefined)
        throw scanner.error('the backslash in the quoted text escapes nothing', position)
      return String.fromCharCode(Number.parseInt(code, 16))
    })
  scanner.space()
  return { literal }
}

/** Writes a marker in one form: blanks, quotes and the spelling of an extra's name (PEP 685) make no difference. */
export function formatMarker(marker: Marker): string {
  if ('left' in marker) {
    const extra = [marker.left, marker.right].some(side => 'variable' in side && side.variable === 'extra')
    const [left, right] = [marker.left, marker.right].map(side =>
      formatValue('literal' in side && extra ? { literal: normalizeName(side.literal) } : side)
    )
    return `${left} ${marker.operator} ${right}`
  }
  return marker.markers
    .map(part => ('join' in part && part.join === 'or' ? `(${formatMarker(part)})` : formatMarker(part)))
    .join(` ${marker.join} `)
}

function formatValue(value: MarkerValue): string {
  if ('variable' in value) return value.variable
  const quote = value.literal.includes('"') ? "'" : '"'
  return `${quote}${value.literal}${quote}`
}
