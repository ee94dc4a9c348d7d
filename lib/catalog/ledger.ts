/**
 * Tells when a project is settled: its parser said how many packages it has, and each of them was dropped,
 * saved or failed. The two may come in any order. Holds the projects in flight and one batch of settled ones.
 */
import type { ProjectState } from './projects.js'

/** What is known of a project when its document was read. `packages` counts those passed on. */
export interface Announcement extends Omit<ProjectState, 'outcome'> {
  readonly packages: number
  /** Records that could not be used. */
  readonly skipped?: number | undefined
  /** Whether upstream says that nothing changed. */
  readonly unchanged?: boolean | undefined
}

interface Entry {
  /** When the same document may have other packages, in ms since 1970. */
  heldUntil: number | undefined
  announcement: Announcement | undefined
  done: number
  failed: boolean
}

export interface LedgerOptions {
  /** Takes settled projects; not called again before it resolved. */
  readonly write: (states: readonly ProjectState[]) => Promise<void>
  /** Projects a batch. @defaultValue 256 */
  readonly batchSize?: number | undefined
  /** A batch that is not full leaves so many ms after the one before it: what a killed run has to do again. @defaultValue 200 */
  readonly maxWaitMs?: number | undefined
}

export class Ledger {
  readonly #write: LedgerOptions['write']
  readonly #batchSize: number
  readonly #maxWaitMs: number
  readonly #entries = new Map<string, Entry>()
  #settled: ProjectState[] = []
  #writing: Promise<void> | undefined
  /** When the last write began, as `performance.now()` counts. */
  #wroteAt = performance.now()
  #error: unknown

  constructor({ write, batchSize = 256, maxWaitMs = 200 }: LedgerOptions) {
    this.#write = write
    this.#batchSize = batchSize
    this.#maxWaitMs = maxWaitMs
  }

  /** Projects begun and not settled. */
  get inFlight(): number {
    return this.#entries.size
  }

  /** A project's document was read to its end. */
  announce(announcement: Announcement): void {
    const entry = this.#entry(announcement.project)
    entry.announcement = announcement
    this.#check(announcement.project, entry)
  }

  /**
   * Packages of the project came to their end: they were saved, or left out. With `heldUntil`, in ms since 1970, they
   * were left out until then only: the project is due again, even if its document stays as it is.
   */
  settle(project: string, heldUntil?: number, packages = 1): void {
    const entry = this.#entry(project)
    entry.done += packages
    if (heldUntil !== undefined) entry.heldUntil = Math.min(heldUntil, entry.heldUntil ?? heldUntil)
    this.#check(project, entry)
  }

  /** A package of the project failed: the project stays due. */
  failPackage(project: string): void {
    const entry = this.#entry(project)
    entry.done++
    entry.failed = true
    this.#check(project, entry)
  }

  /** The project's document could not be had: none of its packages will come, or no more of them. */
  failProject(project: string, name?: string): void {
    this.#entries.delete(project)
    this.#settle({ project, name, outcome: 'failed' })
  }

  /**
   * Upstream does not have the project: as if it had no packages. Without a serial, since it may be back before that
   * moves.
   */
  missing(project: string): void {
    this.#entries.delete(project)
    this.#settle({ project, outcome: 'fetched' })
  }

  /**
   * All packages have come: those that nobody told of were left out by a stage that says nothing. Writes all that
   * was announced. @throws what a write failed with
   */
  async end(): Promise<void> {
    for (const [project, entry] of this.#entries) {
      entry.done = Number.POSITIVE_INFINITY
      this.#check(project, entry)
    }
    await this.flush()
  }

  /** Writes what is settled. @throws what an earlier or this write failed with */
  async flush(): Promise<void> {
    do {
      this.#start()
      await this.#writing
    } while (this.#error === undefined && this.#settled.length > 0)
    if (this.#error !== undefined) throw this.#error
  }

  #entry(project: string): Entry {
    let entry = this.#entries.get(project)
    if (entry === undefined) {
      entry = { announcement: undefined, done: 0, failed: false, heldUntil: undefined }
      this.#entries.set(project, entry)
    }
    return entry
  }

  #check(project: string, { announcement, done, failed, heldUntil }: Entry): void {
    if (announcement === undefined || done < announcement.packages) return
    this.#entries.delete(project)
    const { packages: _, skipped = 0, unchanged = false, ...state } = announcement
    const outcome = failed ? 'failed' : unchanged ? 'unchanged' : skipped > 0 ? 'partial' : 'fetched'
    this.#settle({ ...state, ...(heldUntil === undefined ? undefined : { heldUntil }), outcome })
  }

  #settle(state: ProjectState): void {
    this.#settled.push(state)
    if (this.#settled.length >= this.#batchSize || performance.now() - this.#wroteAt >= this.#maxWaitMs)
      this.#start()
  }

  /** One write at a time; what is settled meanwhile waits for the next. The error is for `flush`. */
  #start(): void {
    if (this.#writing !== undefined || this.#error !== undefined || this.#settled.length === 0) return
    const states = this.#settled
    this.#settled = []
    this.#wroteAt = performance.now()
    this.#writing = this.#write(states).then(
      () => {
        this.#writing = undefined
        if (this.#settled.length >= this.#batchSize) this.#start()
      },
      error => {
        this.#writing = undefined
        this.#error = error
      }
    )
  }
}
