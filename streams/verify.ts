/**
 * Checks a store against its catalog, and mends what is broken.
 */
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { age } from '../lib/age.js'
import { Catalog } from '../lib/catalog/catalog.js'
import type { BrokenReference, CheckedFile, ProblemKind, Verification } from '../lib/catalog/verification.js'
import type { RequestOptions } from '../lib/http/settings.js'
import { finite } from '../lib/options.js'
import { openStore } from '../lib/store/open-store.js'
import type { ListedFile, Store } from '../lib/store/store.js'
import { FileChecker } from './file-checker.js'
import { FileJudge } from './file-judge.js'
import { FileRepairer, type RepairedFile } from './file-repairer.js'

export interface VerifyOptions extends Omit<RequestOptions, 'digest' | 'directory' | 'allowPrivate'> {
  /**
   * A catalog that the caller opened and will close, or where it lies: a SQLite file, or `postgres://…`.
   * @defaultValue `millrace.db`
   */
  readonly catalog?: Catalog | string | undefined
  /** The store, its folder, or `s3://BUCKET/PREFIX`. @defaultValue `millrace-store` */
  readonly store?: Store | string | undefined
  /** Mend what is wrong, under the locks of all repositories. @defaultValue false */
  readonly repair?: boolean | undefined
  /** Read only files that were not verified for so long: an age such as `30d`. @defaultValue all */
  readonly olderThan?: string | undefined
  /** Share of the files to read, from 0 to 1; those come first that were not verified for longest. @defaultValue 1 */
  readonly share?: number | undefined
  /** Files read at once. @defaultValue 4 */
  readonly concurrency?: number | undefined
  /** Files fetched at once. @defaultValue 16 */
  readonly downloadConcurrency?: number | undefined
  /** Stops the check when aborted. */
  readonly signal?: AbortSignal | undefined
  /** Sees the report when the check begins; it grows from then on. */
  readonly watch?: ((report: VerifyReport) => void) | undefined
}

/** One thing that is wrong. */
export interface Problem {
  readonly kind: ProblemKind
  readonly sha256?: string | undefined
  readonly project?: string | undefined
  readonly filename?: string | undefined
  readonly repaired: boolean
  readonly message: string
}

/** What a check found. While it lasts, the counts grow. */
export interface VerifyReport {
  /** Files to be read, and their bytes. */
  files: number
  totalBytes: number
  /** Files that were read, and their bytes. */
  checked: number
  bytes: number
  durationMs: number
  /** Problems found, and how many of them were mended. */
  found: number
  repaired: number
  /** The first 10,000 of them. */
  readonly problems: Problem[]
}

/** Problems told one by one. */
const MAX_PROBLEMS = 10_000

/** A file of the store may be there before its row is, also with `repair`: a server takes no lock. */
const YOUNG_MS = 3_600_000

/** Files of the store that are looked up at once. */
const BATCH_FILES = 1000

/**
 * Reads each file of the store, compares it with its digest and size, and compares the rows of the catalog with each
 * other and with what is in the store.
 * @throws {@link OptionError} before anything is opened; {@link BusyError} with `repair`, while a sync runs;
 * {@link CatalogError}, {@link StoreError}, an `AbortError`
 */
export async function verify(options: VerifyOptions = {}): Promise<VerifyReport> {
  const {
    catalog = 'millrace.db',
    store = 'millrace-store',
    share = 1,
    olderThan = '0h',
    repair,
    signal,
    watch
  } = options
  finite('share', share, 0, 1)
  const before = new Date(Date.now() - age('olderThan', olderThan)).toISOString()
  const kept = await openStore(store)
  signal?.throwIfAborted()
  const startedAt = performance.now()
  const opened = typeof catalog === 'string' ? await Catalog.open(catalog, { create: false }) : catalog
  try {
    const verification = await opened.beginVerification({ repair })
    try {
      const check = new Check(verification, kept, options)
      watch?.(check.report)
      await check.unknown()
      await check.files(before, share)
      await check.mismatches()
      await check.unneeded()
      await check.orphans()
      await check.leftovers()
      check.report.durationMs = Math.round(performance.now() - startedAt)
      return check.report
    } finally {
      await verification.end()
    }
  } finally {
    if (opened !== catalog) await opened.close()
  }
}

class Check {
  readonly report: VerifyReport = {
    ...{ files: 0, totalBytes: 0, checked: 0, bytes: 0, durationMs: 0, found: 0, repaired: 0 },
    problems: []
  }
  readonly #verification: Verification
  readonly #store: Store
  readonly #options: VerifyOptions
  readonly #repair: boolean

  constructor(verification: Verification, store: Store, options: VerifyOptions) {
    this.#verification = verification
    this.#store = store
    this.#options = options
    this.#repair = options.repair ?? false
  }

  /** Packages with a file that the catalog does not know: the store may have it all the same. */
  async unknown(): Promise<void> {
    for await (const reference of this.#verification.unknown()) {
      const { file: sha256 } = reference
      const size = this.#repair ? await this.#store.size(sha256) : undefined
      if (size !== undefined) await this.#verification.adopt({ sha256, size }, new Date().toISOString())
      await this.#reference('unknown', reference, size === undefined)
    }
  }

  /** Reads the files. Those that were adopted come first: they were never verified. */
  async files(before: string, share: number): Promise<void> {
    const {
      concurrency,
      downloadConcurrency,
      signal,
      catalog: _,
      store: __,
      watch: ___,
      ...requests
    } = this.#options
    const [verification, store, report] = [this.#verification, this.#store, this.report]
    const totals = await verification.totals(before, share)
    report.files = totals.files
    report.totalBytes = totals.bytes
    const checker = new FileChecker({ store, concurrency })
    const judge = new FileJudge({ verification })
    const sink = new Writable({
      objectMode: true,
      write: (file: RepairedFile, _encoding, done) => {
        const { sha256, wrong, holders, repaired = false, why } = file
        const { project, filename } = holders[0] ?? {}
        const more = holders.length > 1 ? `, and ${holders.length - 1} more packages have it` : ''
        const message = `${wrong.message}${more}${why === undefined ? '' : `; not repaired: ${why}`}`
        this.#tell({ kind: wrong.kind, sha256, project, filename, repaired, message })
        done()
      }
    })
    checker.on('checked', ({ read }: CheckedFile) => {
      report.checked++
      report.bytes += read
    })
    const repairer = new FileRepairer({ ...requests, verification, store, concurrency: downloadConcurrency })
    const stages = [Readable.from(verification.files(before, totals.files)), checker, judge]
    await pipeline(
      this.#repair ? [...stages, repairer, sink] : [...stages, sink],
      signal === undefined ? {} : { signal }
    )
  }

  /** Packages that state another file than they have. */
  async mismatches(): Promise<void> {
    for await (const reference of this.#verification.mismatches()) {
      await this.#reference('mismatch', reference, true)
    }
  }

  async unneeded(): Promise<void> {
    for await (const { sha256 } of this.#verification.unneeded()) {
      this.#tell({
        kind: 'unneeded',
        sha256,
        repaired: this.#repair,
        message: 'no package of any version has it'
      })
    }
    if (!this.#repair) return
    for (const sha256 of await this.#verification.forget()) await this.#store.delete(sha256)
  }

  async orphans(): Promise<void> {
    let batch: ListedFile[] = []
    for await (const file of this.#store.list()) {
      this.#options.signal?.throwIfAborted()
      batch.push(file)
      if (batch.length < BATCH_FILES) continue
      await this.#orphansOf(batch)
      batch = []
    }
    await this.#orphansOf(batch)
  }

  async leftovers(): Promise<void> {
    for await (const name of this.#store.leftovers()) {
      const message = `${name} was left half-written by a process that is gone`
      this.#tell({ kind: 'leftover', repaired: this.#repair, message })
    }
    if (this.#repair) await this.#store.clean()
  }

  async #orphansOf(files: readonly ListedFile[]): Promise<void> {
    const strangers = await this.#verification.strangers(files.map(({ sha256 }) => sha256))
    for (const { sha256, size, writtenMs } of files) {
      if (!strangers.has(sha256) || Date.now() - writtenMs < YOUNG_MS) continue
      if (this.#repair) await this.#store.delete(sha256)
      const message = `the catalog does not know its ${size} bytes`
      this.#tell({ kind: 'orphan', sha256, repaired: this.#repair, message })
    }
  }

  async #reference(kind: ProblemKind, reference: BrokenReference, clear: boolean): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const { file: sha256, project, filename, message } = reference
    if (this.#repair && clear) await this.#verification.clear([reference])
    this.#tell({ kind, sha256, project, filename, repaired: this.#repair, message })
  }

  #tell(problem: Problem): void {
    this.report.found++
    if (problem.repaired) this.report.repaired++
    if (this.report.problems.length < MAX_PROBLEMS) this.report.problems.push(problem)
  }
}
