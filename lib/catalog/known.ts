/**
 * What the catalog knows of a package, and how that is judged from its rows.
 */
import type { Package, Project } from '../pypi/package.js'
import type { FoundPackage } from './packages.js'
import { encodePackage, sameFile, sameState } from './rows.js'

/** A project, and what the catalog knows of it. */
export interface KnownProject extends Project {
  /** sha256 of its document as it was last read with the same options. */
  readonly digest?: string | undefined
}

/** What is known of the list of all projects of an index, so that it can be asked for on condition. */
export interface KnownListing {
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
  /** sha256 of the document. */
  readonly digest?: string | undefined
  /** Projects that it names, without those taken out by excludes. */
  readonly given: number
}

/** A package, and what the catalog knows of it. */
export interface KnownPackage extends Package {
  /**
   * `same`: the catalog has it in this state. `changed`: in another. `new`: it has no file of that name.
   * `undefined`: not looked up, or of a project that is new itself.
   */
  readonly known?: 'same' | 'changed' | 'new' | undefined
  /** sha256 of its file in the store; `undefined` where it is not there. */
  readonly stored?: string | undefined
  /** @internal Its row, where it is known to be the same. */
  readonly row?: KnownRow | undefined
}

/** @internal The row of a package that the catalog has in the same state. */
export interface KnownRow {
  readonly id: number
  readonly added: number
  readonly url: string
  readonly file: string | undefined
  /** A draft that says otherwise, and is to go. */
  readonly draft: number | undefined
}

/** Compares a package with its rows: at most one of the current version, and one draft after it. */
export function judge(
  pkg: Package,
  rows: readonly FoundPackage[] | undefined
): Pick<KnownPackage, 'known' | 'stored' | 'row'> {
  const last = rows?.at(-1)
  if (rows === undefined || last === undefined) return { known: 'new' }
  const wanted = encodePackage(pkg, Number(last.project_id), undefined)
  const stored = rows.find(row => row.file !== null && sameFile(wanted, row))?.file ?? undefined
  const file = stored === undefined ? undefined : String(stored)
  const same = rows.find(row => sameState(wanted, row))
  if (same === undefined) return { known: 'changed', stored: file }
  return {
    known: 'same',
    stored: file,
    row: {
      id: same.id,
      added: same.added,
      url: String(same.url),
      file: same.file === null ? undefined : String(same.file),
      draft: same === last ? undefined : last.id
    }
  }
}
