/**
 * Follows the stages of a sync by their events: counts for the report, tells the run's ledger what became of each
 * project, and makes a failure of each item that was skipped.
 */
import type { Due } from '../lib/catalog/due.js'
import type { KnownListing, KnownPackage } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import { RecordError, StatusError, TemporaryFileError } from '../lib/errors.js'
import { heldUntil, type UploadedBeforeOptions } from '../lib/filter/uploaded-before.js'
import type { Downloaded } from '../lib/http/body.js'
import { itemSkipped, projectRead } from '../lib/observe.js'
import type { Package, Project } from '../lib/pypi/package.js'
import { failureOf, type Report } from '../lib/report.js'
import { Downloader } from './downloader.js'
import { MetadataParser, type ProjectDocument } from './metadata-parser.js'
import { PackageFilter } from './package-filter.js'
import { PackageSaver, packageOf, type Savable } from './package-saver.js'
import { ProjectLookup } from './project-lookup.js'
import { type ProjectListing, ProjectSource } from './project-source.js'
import type { Stage } from './sync-stages.js'
import { VersionWriter } from './version-writer.js'

/** Statuses that say a project is not there, rather than not to be had. */
const MISSING: ReadonlySet<number> = new Set([404, 410])

/** Whether the error of a project's document says that the index does not have it. */
export function isMissing(error: Error): boolean {
  return error instanceof StatusError && MISSING.has(error.statusCode)
}

/** Rows of failures written at once. */
const FAILURES_A_BATCH = 500

export interface SyncWatchOptions extends UploadedBeforeOptions {
  /** Ends the sync at the first failure. @defaultValue false */
  readonly strict?: boolean | undefined
  /** What the run began with. @defaultValue nothing */
  readonly due?: Due | undefined
}

export class SyncWatch {
  /** A dry run has none. */
  readonly #run: Run | undefined
  readonly #report: Report
  readonly #strict: boolean
  readonly #age: UploadedBeforeOptions
  readonly #failedProjects = new Set<string>()
  readonly #knownListing: KnownListing | undefined
  #listing: ProjectListing | undefined
  /** Whether the listing tells less than what there is: a bad name, or a serial that its project has not yet. */
  #unsure = false
  #writer: VersionWriter | undefined
  readonly #dropped: Record<string, number> = {}

  constructor(
    run: Run | undefined,
    report: Report,
    { strict = false, uploadedBefore, due }: SyncWatchOptions
  ) {
    this.#run = run
    this.#report = report
    this.#strict = strict
    this.#age = { uploadedBefore }
    this.#knownListing = due?.listing
  }

  /** Whether the version was made, or stayed. */
  get committed(): boolean {
    return this.#writer?.result !== undefined
  }

  /** Whether the listing tells less than what there is of any of the projects. */
  get unsure(): boolean {
    return this.#unsure
  }

  /** Whether the index named all its projects. */
  get completeListing(): boolean {
    return this.#listing?.complete ?? false
  }

  /** What the next run may know of the listing: only what tells of every change. */
  get keptListing(): KnownListing | undefined {
    const listing = this.#listing
    if (listing === undefined || this.#unsure || this.#writer?.result?.kept !== undefined) return undefined
    if (!listing.complete) return this.#knownListing
    const { etag, lastModified, digest } = listing
    const given = this.#report.projects.listed
    return listing.serials ? { etag, lastModified, digest, given } : undefined
  }

  /** For each filter, by its option's name, how many packages it took out. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#dropped
  }

  /** Listens to all stages that are ours. */
  observe(stages: readonly Stage[]): void {
    const documents = stages.find(stage => stage instanceof Downloader)
    for (const stage of stages) {
      if (stage instanceof ProjectSource) this.#source(stage)
      else if (stage instanceof ProjectLookup) this.#projectLookup(stage)
      else if (stage instanceof Downloader) stage === documents ? this.#documents(stage) : this.#files(stage)
      else if (stage instanceof MetadataParser) this.#parser(stage)
      else if (stage instanceof PackageFilter) this.#filter(stage)
      else if (stage instanceof PackageSaver) this.#saver(stage)
      else if (stage instanceof VersionWriter) this.#writer = stage
    }
  }

  /** Completes the report when the pipeline has ended well. */
  finish(): void {
    const { packages } = this.#report
    this.#countKept()
    const result = this.#writer?.result
    if (result === undefined) return
    const { version, changed, added, removed, present, kept } = result
    if (kept !== undefined) this.#report.failures.push(failureOf(kept, {}))
    Object.assign(this.#report, { version, changed })
    Object.assign(packages, { added, removed, present })
  }

  /** Writes the failures down in the catalog. */
  async record(): Promise<void> {
    const { failures } = this.#report
    for (let at = 0; at < failures.length; at += FAILURES_A_BATCH) {
      await this.#run?.recordFailures(failures.slice(at, at + FAILURES_A_BATCH))
    }
  }

  #source(stage: ProjectSource): void {
    const { projects } = this.#report
    let unread = 0
    Object.defineProperty(projects, 'listed', { enumerable: true, get: () => stage.given + unread })
    stage.on('listing', (listing: ProjectListing) => {
      this.#listing = listing
      if (listing.complete) return
      unread = Math.max(0, (this.#knownListing?.given ?? 0) - stage.given)
      projects.unchanged += unread
    })
    stage.on('skip', (item: Partial<Project>, error: Error) => {
      this.#unsure = true
      this.#fail(stage, item, error)
    })
  }

  #projectLookup(stage: ProjectLookup): void {
    stage.on('unchanged', () => {
      this.#report.projects.unchanged++
    })
  }

  #documents(stage: Downloader): void {
    stage.on('skip', (project: Project, error: Error) => {
      if (isMissing(error)) {
        this.#report.projects.missing++
        this.#run?.ledger.missing(project.project)
      } else {
        this.#run?.ledger.failProject(project.project, project.name)
        this.#failProject(project.project)
        this.#fail(stage, project, error)
      }
    })
  }

  #parser(stage: MetadataParser): void {
    const { projects, packages } = this.#report
    stage.on('project', (document: ProjectDocument) => {
      projectRead(document)
      if (document.unchanged) projects.unchanged++
      else projects.fetched++
      packages.seen += document.packages
      this.#countKept()
      const { serial, listedSerial, unchanged } = document
      // One that did not change was asked for because its listed serial did.
      if (listedSerial !== undefined)
        this.#unsure ||= serial === undefined ? unchanged : serial < listedSerial
      this.#run?.ledger.announce(document)
    })
    stage.on(
      'skip',
      (item: Project | { project: string; name?: string; filename?: string }, error: Error) => {
        // An entry costs its file; without one, the whole document could not be read.
        if (!(error instanceof RecordError)) {
          this.#run?.ledger.failProject(item.project, item.name)
          this.#failProject(item.project)
        }
        this.#fail(stage, item, error)
      }
    )
  }

  #countKept(): void {
    const { packages } = this.#report
    packages.kept = Object.values(this.#dropped).reduce((kept, count) => kept - count, packages.seen)
  }

  #filter(stage: PackageFilter): void {
    stage.on('drop', (pkg: Package, filter: string) => {
      this.#dropped[filter] = (this.#dropped[filter] ?? 0) + 1
      const until = filter === 'uploadedBefore' ? heldUntil(this.#age, pkg) : undefined
      this.#run?.ledger.settle(pkg.project, until)
    })
  }

  #files(stage: Downloader): void {
    const { files } = this.#report
    stage.on('downloaded', ({ body }: Downloaded<Package>) => {
      files.downloaded++
      files.bytes += body.size
    })
    stage.on('skip', (pkg: Package, error: Error) => this.#failFile(stage, pkg, error))
  }

  #saver(stage: PackageSaver): void {
    const { files } = this.#report
    stage.on('saved', (saved: readonly KnownPackage[], brought: number) => {
      files.reused -= brought
      // Those of one project come together.
      let [project, packages] = [(saved[0] as KnownPackage).project, 0]
      for (const pkg of saved) {
        if (pkg.stored !== undefined) files.reused++
        if (pkg.project !== project) {
          this.#run?.ledger.settle(project, undefined, packages)
          project = pkg.project
          packages = 0
        }
        packages++
      }
      this.#run?.ledger.settle(project, undefined, packages)
    })
    stage.on('skip', (item: Savable, error: Error) => this.#failFile(stage, packageOf(item), error))
  }

  #failFile(stage: Stage, pkg: Package, error: Error): void {
    this.#report.files.failed++
    this.#run?.ledger.failPackage(pkg.project)
    this.#failProject(pkg.project)
    this.#fail(stage, pkg, error)
  }

  #failProject(project: string): void {
    this.#failedProjects.add(project)
    this.#report.projects.failed = this.#failedProjects.size
  }

  #fail(stage: Stage, item: Parameters<typeof failureOf>[1], error: Error): void {
    const failure = failureOf(error, item)
    this.#report.failures.push(failure)
    itemSkipped(failure)
    // A disk that is full or read-only is so for all that would come.
    if (this.#strict || error instanceof TemporaryFileError) stage.destroy(error)
  }
}
