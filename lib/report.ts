/**
 * What a sync did: the object that `sync()` resolves with and that `millrace sync --json` prints.
 */
import type { MillraceError } from './errors.js'

/** One thing that could not be had, and how hard it was tried. */
export interface Failure {
  /** An `ERR_MILLRACE_…` code; see `docs/errors.md`. */
  readonly code: string
  readonly project?: string | undefined
  readonly filename?: string | undefined
  /** Without credentials and query. */
  readonly url?: string | undefined
  /** Requests made for it; 0 when it was not a request that failed. */
  readonly attempts: number
  readonly message: string
}

/** What a sync would bring of one project. */
export interface PlannedProject {
  readonly project: string
  /** Packages that are not in the repository, or not with these bytes. */
  packages: number
  /** Sizes of their files, as far as the index tells. */
  bytes: number
  /** Files whose size the index does not tell. */
  unknownSizes: number
}

/** What a dry run found. */
export interface Plan {
  readonly projects: readonly PlannedProject[]
  /** For each filter, by its option's name, how many packages it took out. */
  readonly dropped: Readonly<Record<string, number>>
}

/** Counts of one run. While the run lasts they grow. */
export interface Report {
  repository: string
  /** The version that the repository shows after the run; 0 for an empty repository that never had one. */
  version: number
  /** Whether the run made that version. */
  changed: boolean
  durationMs: number
  readonly projects: {
    /** Named by the includes, or by the index. */
    listed: number
    /** Documents that came in and were read. */
    fetched: number
    /** Known to be as they were, by serial, ETag, date or digest. */
    unchanged: number
    /** Not there: status 404 or 410. */
    missing: number
    /** Could not be had or read, or one of their files could not. */
    failed: number
  }
  readonly packages: {
    /** In the documents. */
    seen: number
    /** Left by the filters. */
    kept: number
    /** New in the version, changed ones included. */
    added: number
    /** No more in the version, changed ones included. */
    removed: number
    /** In the version. */
    present: number
  }
  readonly files: {
    downloaded: number
    /** Already in the store. */
    reused: number
    failed: number
    /** Of the downloaded files. */
    bytes: number
  }
  readonly failures: Failure[]
  /** Only of a dry run. */
  plan?: Plan
}

/** A report with nothing in it yet. */
export function emptyReport(repository: string): Report {
  return {
    repository,
    version: 0,
    changed: false,
    durationMs: 0,
    projects: { listed: 0, fetched: 0, unchanged: 0, missing: 0, failed: 0 },
    packages: { seen: 0, kept: 0, added: 0, removed: 0, present: 0 },
    files: { downloaded: 0, reused: 0, failed: 0, bytes: 0 },
    failures: []
  }
}

/** The failure that an error of one item makes. */
export function failureOf(
  error: Error &
    Partial<Pick<MillraceError, 'code'>> & { readonly url?: unknown; readonly attempts?: unknown },
  item: {
    readonly project?: string | undefined
    readonly filename?: string | undefined
    readonly url?: string | undefined
  }
): Failure {
  return {
    code: error.code ?? 'ERR_MILLRACE_UNKNOWN',
    project: item.project,
    filename: item.filename,
    url: typeof error.url === 'string' ? error.url : item.url,
    attempts: typeof error.attempts === 'number' ? error.attempts : 0,
    message: error.message
  }
}
