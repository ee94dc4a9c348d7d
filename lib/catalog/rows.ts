/**
 * Between a package and its row. The same package always gives the same row, so two states of a file are
 * compared value by value.
 */
import type { Digests, Package, PackageType } from '../pypi/package.js'
import { encodeJson, encodeText } from './json.js'

/** The columns that a package fills, key first. `file` is the last: it is ours, not upstream's. */
export const PACKAGE_COLUMNS = [
  'project_id',
  'filename',
  'url',
  'name',
  'version',
  'size',
  'sha256',
  'digests',
  'package_type',
  'requires_python',
  'yanked',
  'upload_time',
  'core_metadata',
  'provenance',
  'file'
] as const

/** From here on to `file`, a difference is a change of the package; a new `url` alone is not. */
const FIRST_COMPARED = PACKAGE_COLUMNS.indexOf('name')
const LAST_COMPARED = PACKAGE_COLUMNS.indexOf('provenance')

/** The columns that make the state of a file: if all are equal, nothing changed. */
export const COMPARED_COLUMNS = PACKAGE_COLUMNS.slice(FIRST_COMPARED, LAST_COMPARED + 1)

/** Values in the order of {@link PACKAGE_COLUMNS}. */
export type PackageRow = readonly (string | number | null)[]

/** A row as it is read. */
export type StoredRow = { readonly [column in (typeof PACKAGE_COLUMNS)[number]]: string | number | null }

/** What the catalog knows of a file: the package, where it lies, and from which version on it reads so. */
export interface StoredPackage extends Package {
  /** sha256 of the file in the store; `undefined` where it is not there. */
  readonly file: string | undefined
  /** The repository version that added it in this state. */
  readonly added: number
}

/** Digests as text, in one order, without `omit`; `null` when there are none. */
function encodeDigests(digests: Digests, omit?: string): string | null {
  const names = Object.keys(digests)
  const [first] = names
  if (first === undefined || (names.length === 1 && first === omit)) return null
  // What nearly all core metadata has.
  if (names.length === 1 && first === 'sha256') return `{"sha256":${encodeJson(digests.sha256)}}`
  const entries = names
    .filter(name => name !== omit)
    .sort()
    .map(name => [name, digests[name]])
  return encodeJson(Object.fromEntries(entries))
}

/** The row of a package; `file` is the sha256 of its file in the store. */
export function encodePackage(pkg: Package, projectId: number, file: string | undefined): PackageRow {
  const { coreMetadata } = pkg
  return [
    projectId,
    nullable(pkg.filename),
    nullable(pkg.url),
    nullable(pkg.name),
    nullable(pkg.version),
    pkg.size ?? null,
    nullable(pkg.digests.sha256),
    encodeDigests(pkg.digests, 'sha256'),
    pkg.packageType,
    nullable(pkg.requiresPython),
    pkg.yanked === false ? null : encodeText(pkg.yanked),
    nullable(pkg.uploadTime),
    typeof coreMetadata === 'boolean'
      ? coreMetadata
        ? 'true'
        : null
      : (encodeDigests(coreMetadata) ?? 'true'),
    nullable(pkg.provenance),
    file ?? null
  ]
}

/** A text's value; whoever is without types may give none where there must be one, which the database refuses. */
function nullable(value: string | null | undefined): string | null {
  return value === undefined || value === null ? null : encodeText(value)
}

/** Sorts rows by project and file name, so that inserts are local; of two with one key the later one counts. */
export function inKeyOrder(rows: readonly PackageRow[]): PackageRow[] {
  const compare = (a: PackageRow, b: PackageRow) => {
    if (a[0] !== b[0]) return Number(a[0]) - Number(b[0])
    return a[1] === b[1] ? 0 : String(a[1]) < String(b[1]) ? -1 : 1
  }
  const sorted = rows.toSorted(compare)
  return sorted.filter(
    (row, at) => at === sorted.length - 1 || compare(row, sorted[at + 1] as PackageRow) !== 0
  )
}

/** Whether a package still reads as the row does; its URL and its file in the store do not count. */
export function sameState(row: PackageRow, stored: StoredRow): boolean {
  for (let at = FIRST_COMPARED; at <= LAST_COMPARED; at++) {
    if (row[at] !== stored[PACKAGE_COLUMNS[at] as keyof StoredRow]) return false
  }
  return true
}

/** Whether the file itself is the same: a change of `yanked`, say, leaves what the store holds valid. */
export function sameFile(row: PackageRow, stored: StoredRow): boolean {
  return (['size', 'sha256', 'digests'] as const).every(
    column => row[PACKAGE_COLUMNS.indexOf(column)] === stored[column]
  )
}

function text(value: string | number | null): string | undefined {
  return value === null ? undefined : String(value)
}

/** The package of a row. */
export function decodePackage(
  row: StoredRow & { readonly project: string; readonly added: number }
): StoredPackage {
  const sha256 = text(row.sha256)
  const others = row.digests === null ? {} : (JSON.parse(String(row.digests)) as Digests)
  return {
    project: row.project,
    name: String(row.name),
    version: text(row.version),
    filename: String(row.filename),
    url: String(row.url),
    digests: sha256 === undefined ? others : { sha256, ...others },
    size: row.size === null ? undefined : Number(row.size),
    packageType: row.package_type as PackageType,
    requiresPython: text(row.requires_python),
    yanked: row.yanked === null ? false : String(row.yanked),
    uploadTime: text(row.upload_time),
    coreMetadata:
      row.core_metadata === null ? false : (JSON.parse(String(row.core_metadata)) as true | Digests),
    provenance: text(row.provenance),
    file: text(row.file),
    added: row.added
  }
}
