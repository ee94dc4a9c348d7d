/**
 * A run: what one process does to one repository, from taking its lock to giving it back. The stages that
 * touch the catalog are given the run.
 */
import { integer } from '../options.js'
import type { Counts, Progress } from '../progress.js'
import type { Package, Project } from '../pypi/package.js'
import { type Failure, failureOf } from '../report.js'
import { Bitset } from './bitset.js'
import type { Connection, Database, Release } from './database.js'
import { type Due, findDue, keepListing } from './due.js'
import { judge, type KnownListing, type KnownPackage, type KnownProject } from './known.js'
import { Ledger } from './ledger.js'
import {
  deletePackages,
  type FoundPackage,
  findFiles,
  findPackages,
  insertFiles,
  markSeen,
  updatePlaces
} from './packages.js'
import { writeProgress } from './progress.js'
import { type ProjectId, ProjectIds } from './project-ids.js'
import type { ProjectKeys } from './project-keys.js'
import { findProjects, insertProjects, type ProjectState, writeStates } from './projects.js'
import { forgetVersions } from './retention.js'
import { restoreVersion } from './rollback.js'
import { encodePackage, inKeyOrder, type PackageRow } from './rows.js'
import {
  cancelRun,
  finishRun,
  holdRun,
  insertFailures,
  type RunState,
  readListed,
  writeListed
} from './runs.js'
import { sumShards } from './shards.js'
import { type Committed, commitVersion } from './versions.js'

/** What a run starts from. @internal */
export interface RunBase {
  readonly id: number
  readonly repository: string
  readonly repositoryId: number
  readonly optionsKey: string
  readonly mirror: boolean
  readonly keys: ProjectKeys
  /** How old the last whole reading of a document may be, in ms; `undefined` for any age. */
  readonly fullCheckMs: number | undefined
  /** The newest version, and how many packages it has. */
  readonly base: number
  readonly present: number
  /** The last run that was committed, and the highest packages.id then. */
  readonly committedRun: number
  readonly lastPackage: number
  /** Whether an unfinished run left anything, and whether it had the same options. */
  readonly drafts: boolean
  readonly resumed: boolean
  /** Whether the catalog knows of any file in the store. */
  readonly files: boolean
  /** Whether another process began the run. */
  readonly joined: boolean
}

export class Run {
  readonly id: number
  readonly repository: string
  readonly mirror: boolean
  /** Whether an unfinished run with the same options left work that this one goes on from. */
  readonly resumed: boolean
  /** Counts which projects are settled, and writes their states. */
  readonly ledger = new Ledger({ write: states => this.writeStates(states) })
  readonly #database: Database
  readonly #base: RunBase
  readonly #release: Release
  readonly #ids: ProjectIds
  readonly #listed = new Bitset()
  /** While the store holds nothing, nothing need be asked about it. */
  #files: boolean

  /** @internal Runs are begun with `Catalog.beginRun`. */
  constructor(database: Database, base: RunBase, release: Release) {
    this.id = base.id
    this.repository = base.repository
    this.mirror = base.mirror
    this.resumed = base.resumed
    this.#database = database
    this.#base = base
    this.#release = release
    this.#ids = new ProjectIds(base.repositoryId)
    this.#files = base.files
  }

  /** Says which projects are due whatever the index lists, and what is known of its listing. */
  async due(): Promise<Due> {
    return await this.#database.use(connection => findDue(connection, this.#base, Date.now()))
  }

  /** Makes rows for `projects` where there are none; gives `undefined` for each that need not be fetched. */
  async lookupProjects(projects: readonly Project[]): Promise<(KnownProject | undefined)[]> {
    const results: (KnownProject | undefined)[] = [...projects]
    const found = await this.#database.use(connection =>
      findProjects(connection, projects, this.#base, Date.now())
    )
    const missing = new Set(projects.keys())
    for (const { at, id, unchanged, fresh, etag, lastModified, digest } of found) {
      missing.delete(at)
      this.#listed.add(id)
      const project = projects[at] as Project
      if (unchanged === 1) {
        results[at] = undefined
        continue
      }
      this.#ids.remember([[project.project, { id, fresh: fresh === 1 }]])
      if (etag === null && lastModified === null && digest === null) continue
      results[at] = {
        ...project,
        headers: {
          ...project.headers,
          ...(etag === null ? {} : { 'if-none-match': etag }),
          ...(lastModified === null ? {} : { 'if-modified-since': lastModified })
        },
        digest: digest ?? undefined
      }
    }
    if (missing.size > 0) {
      const unknown = Array.from(missing, at => projects[at] as Project)
      const made = await this.#database.transaction(connection =>
        insertProjects(connection, this.#base.repositoryId, unknown)
      )
      for (const { project, id, fresh } of made) {
        this.#listed.add(id)
        this.#ids.remember([[project, { id, fresh }]])
      }
    }
    return results
  }

  /** Whether `lookupPackages` could tell anything of a package. */
  mayKnow({ project }: Package): boolean {
    return this.#files || !this.#ids.isFresh(project)
  }

  /** Says of each package what the catalog knows. */
  async lookupPackages(packages: readonly Package[]): Promise<readonly KnownPackage[]> {
    const recalled = this.#ids.recall(packages)
    if (recalled !== undefined && !this.#files && toLookUp(packages, recalled).length === 0) return packages
    return await this.#database.use(async connection => {
      const ids = recalled ?? (await this.#ids.find(connection, packages, false))
      const results = await this.#lookup(connection, packages, ids)
      if (this.#files) await markStored(connection, results)
      return results
    })
  }

  /**
   * Saves packages in one transaction; `files` says which file of the store belongs to which. They are drafts
   * until the run is committed.
   */
  async savePackages(
    packages: readonly KnownPackage[],
    files: ReadonlyMap<KnownPackage, { readonly sha256: string; readonly size: number }> = new Map()
  ): Promise<void> {
    const recalled = this.#ids.recall(packages)
    if (recalled !== undefined && files.size === 0 && packages.every(pkg => isNew(pkg, recalled))) {
      await this.#database.insertPackages(newRows(packages, recalled), this.#base.base + 1, this.id)
      return
    }
    const ids = await this.#database.transaction(async connection => {
      await holdRun(connection, this.id)
      const ids = recalled ?? (await this.#ids.find(connection, packages, true))
      const known = await this.#lookup(connection, packages, ids)
      const rows: PackageRow[] = []
      const seen: number[] = []
      const places: [number, string, string | undefined][] = []
      const withdrawn: number[] = []
      for (let at = 0; at < known.length; at++) {
        const pkg = known[at] as KnownPackage
        const file = files.get(packages[at] as KnownPackage)?.sha256 ?? pkg.stored
        const { row } = pkg
        if (row === undefined) {
          rows.push(encodePackage(pkg, (ids.get(pkg.project) as ProjectId).id, file))
          continue
        }
        // A mark costs a write a row, and only removals and drafts are decided by it.
        if (this.mirror || row.added > this.#base.base) seen.push(row.id)
        if (pkg.url !== row.url || (file !== undefined && file !== row.file))
          places.push([row.id, pkg.url, file])
        if (row.draft !== undefined) withdrawn.push(row.draft)
      }
      if (withdrawn.length > 0) await deletePackages(connection, withdrawn)
      if (rows.length > 0) await connection.insertPackages(inKeyOrder(rows), this.#base.base + 1, this.id)
      if (seen.length > 0) await markSeen(connection, seen, this.id)
      if (places.length > 0) await updatePlaces(connection, places)
      if (files.size > 0) await insertFiles(connection, files.values(), now())
      return ids
    })
    this.#ids.remember(ids)
    if (files.size > 0) this.#files = true
  }

  /** Writes down what was found out about projects. Usually the {@link ledger} does. */
  async writeStates(states: readonly ProjectState[]): Promise<void> {
    await this.#database.transaction(async connection => {
      await holdRun(connection, this.id)
      const names = states.map(({ project, name = project }) => ({ project, name }))
      const ids = await this.#ids.find(connection, names, true)
      await writeStates(connection, states, ids, this.#base, Date.now())
    })
  }

  /** Writes down what could not be had. */
  async recordFailures(failures: readonly Failure[]): Promise<void> {
    await this.#database.transaction(connection => insertFailures(connection, this.id, failures))
  }

  /** Says what the run is doing, for other processes to see until it ends. */
  async recordProgress(progress: Progress): Promise<void> {
    await this.#database.use(connection => writeProgress(connection, this.id, progress, now()))
  }

  /**
   * Keeps which projects were looked up, for a process that joins the run to commit it. To be called when the listing
   * was read to its end.
   */
  async keepListed(): Promise<void> {
    await this.#database.use(connection => writeListed(connection, this.id, this.#listed))
  }

  /**
   * Makes a version of what was saved, all or nothing; none when nothing changed. With `completeListing`, the
   * projects that were looked up are all that upstream has: of others, `mirror` removes the packages. If projects
   * are gone that hold more than the share `maxRemovals` of the packages, nothing is removed; with `strict`, no
   * version is made.
   * Who joined the run goes by what {@link keepListed} kept.
   * @throws {@link RemovalsError} with `strict`; {@link RunEndedError}; {@link CatalogError}
   */
  async commit({
    completeListing = false,
    maxRemovals = 1,
    strict = false
  }: {
    readonly completeListing?: boolean | undefined
    readonly maxRemovals?: number | undefined
    readonly strict?: boolean | undefined
  } = {}): Promise<Committed> {
    await this.ledger.end()
    const { id: runId, ...base } = this.#base
    return await this.#database.transaction(async connection => {
      const known = base.joined ? await readListed(connection, runId) : this.#listed
      const listed = completeListing ? known : undefined
      const committed = await commitVersion(connection, { ...base, runId, listed, maxRemovals }, now())
      if (strict && committed.kept !== undefined) throw committed.kept
      return committed
    })
  }

  /**
   * Makes a version of what all that took part have saved, and ends the run with the sum of their reports, all in one
   * transaction. Gives what that came to. @throws as {@link commit}
   */
  async commitShards({
    maxRemovals = 0.1,
    strict = false,
    keepVersions
  }: {
    readonly maxRemovals?: number | undefined
    readonly strict?: boolean | undefined
    readonly keepVersions?: number | undefined
  } = {}): Promise<Counts> {
    const { id: runId, ...base } = this.#base
    return await this.#database.transaction(async connection => {
      const { startedAt, counts, listing, unsure } = await sumShards(connection, runId)
      const listed = listing.complete ? await readListed(connection, runId) : undefined
      const committed = await commitVersion(connection, { ...base, runId, listed, maxRemovals }, now())
      const { version, changed, added, removed, present, kept } = committed
      if (strict && kept !== undefined) throw kept
      if (kept !== undefined) await insertFailures(connection, runId, [failureOf(kept, {})])
      const known = unsure || kept !== undefined ? undefined : listing.kept
      const { repositoryId, optionsKey: key } = base
      await keepListing(connection, repositoryId, known && { ...known, run: runId, key })
      if (keepVersions !== undefined) await forgetVersions(connection, repositoryId, keepVersions)
      const report: Counts = {
        ...counts,
        ...{ version, changed, durationMs: Date.now() - Date.parse(startedAt) },
        packages: { ...counts.packages, added, removed, present },
        failures: counts.failures + (kept === undefined ? 0 : 1)
      }
      await finishRun(connection, this.#base, 'done', report, now())
      return report
    })
  }

  /**
   * Keeps what is known of the listing that this run read, when it is committed; `undefined` if the next run may not
   * ask for it on condition.
   */
  async keepListing(listing: KnownListing | undefined): Promise<void> {
    const { id: run, optionsKey: key, repositoryId } = this.#base
    await this.#database.use(connection =>
      keepListing(connection, repositoryId, listing && { ...listing, run, key })
    )
  }

  /** @internal Makes a version with the content of an older one; none when it is the same. */
  async restore(target: number): Promise<Committed> {
    const { id: runId, ...rest } = this.#base
    const base = { ...rest, runId, listed: undefined, maxRemovals: 1 }
    return await this.#database.transaction(async connection => {
      const closed = await restoreVersion(connection, { ...base, target })
      return await commitVersion(connection, { ...base, closed }, now())
    })
  }

  /**
   * Forgets all versions but the newest `keep`, and the packages that only those had. To be called when the run
   * is committed. Whole number of 1 or more.
   */
  async forgetVersions(keep: number): Promise<{ readonly versions: number; readonly packages: number }> {
    integer('keepVersions', keep, 1)
    return await this.#database.transaction(connection =>
      forgetVersions(connection, this.#base.repositoryId, keep)
    )
  }

  /** Notes how the run ended, and gives the repository's lock back. */
  async finish(state: RunState, report?: unknown): Promise<void> {
    try {
      await this.#database.use(connection => finishRun(connection, this.#base, state, report, now()))
    } finally {
      await this.#release()
    }
  }

  /** Ends the run, unless another process committed it; says whether it did. Gives the lock back. */
  async cancel(state: Exclude<RunState, 'done'>, report: Counts): Promise<boolean> {
    try {
      return await this.#database.use(connection => cancelRun(connection, this.#base, state, report, now()))
    } finally {
      await this.#release()
    }
  }

  /** Gives the lock back, and leaves the run as it is: to those who take part in it, or as one that died. */
  async abandon(): Promise<void> {
    await this.#release()
  }

  /** Looks up those packages that have not been looked up before. */
  async #lookup(
    connection: Connection,
    packages: readonly KnownPackage[],
    ids: ReadonlyMap<string, ProjectId>
  ): Promise<KnownPackage[]> {
    const results = [...packages]
    const asked = toLookUp(packages, ids)
    if (asked.length === 0) return results
    const keys = asked.map(at => {
      const { project, filename } = packages[at] as KnownPackage
      return [(ids.get(project) as ProjectId).id, filename] as const
    })
    const found = new Map<number, FoundPackage[]>()
    for (const row of await findPackages(connection, keys)) {
      const rows = found.get(row.at)
      if (rows === undefined) found.set(row.at, [row])
      else rows.push(row)
    }
    asked.forEach((at, position) => {
      const pkg = packages[at] as KnownPackage
      results[at] = { ...pkg, ...judge(pkg, found.get(position)) }
    })
    return results
  }
}

/** Whether the catalog has no row of a package's file. */
function isNew({ known, row, project }: KnownPackage, ids: ReadonlyMap<string, ProjectId>): boolean {
  return row === undefined && (known !== undefined || ids.get(project)?.fresh === true)
}

/** The rows of new packages, in key order. */
function newRows(packages: readonly KnownPackage[], ids: ReadonlyMap<string, ProjectId>): PackageRow[] {
  return inKeyOrder(
    packages.map(pkg => encodePackage(pkg, (ids.get(pkg.project) as ProjectId).id, pkg.stored))
  )
}

/** Positions of the packages that were not looked up and may have rows. */
function toLookUp(packages: readonly KnownPackage[], ids: ReadonlyMap<string, ProjectId>): number[] {
  const positions: number[] = []
  for (let at = 0; at < packages.length; at++) {
    const { known, project } = packages[at] as KnownPackage
    if (known === undefined && ids.get(project)?.fresh === false) positions.push(at)
  }
  return positions
}

/** Adds which files the store holds already, for packages that would have to fetch theirs. */
async function markStored(connection: Connection, results: KnownPackage[]): Promise<void> {
  const digests = new Set<string>()
  for (const { stored, digests: stated } of results) {
    if (stored === undefined && stated.sha256 !== undefined) digests.add(stated.sha256)
  }
  const files = digests.size > 0 ? await findFiles(connection, [...digests]) : new Set()
  for (let at = 0; at < results.length && files.size > 0; at++) {
    const pkg = results[at] as KnownPackage
    const { sha256 } = pkg.digests
    if (pkg.stored === undefined && files.has(sha256)) results[at] = { ...pkg, stored: sha256 }
  }
}

function now(): string {
  return new Date().toISOString()
}
