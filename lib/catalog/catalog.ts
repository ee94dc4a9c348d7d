/**
 * The catalog: repositories, their versions and what is in them.
 */
import { BusyError, CatalogError, OptionError } from '../errors.js'
import { integer, text } from '../options.js'
import type { Failure } from '../report.js'
import type { Store } from '../store/store.js'
import { BrowseReader } from './browse-reader.js'
import { type Change, readChanges } from './changes.js'
import { Database, type Release, type Value } from './database.js'
import { IndexReader } from './index-reader.js'
import { encodeJson } from './json.js'
import { readPackages } from './packages.js'
import { isPostgresUrl } from './postgres/location.js'
import { type RunProgress, readProgress } from './progress.js'
import { ProjectKeys } from './project-keys.js'
import { forgetFiles } from './retention.js'
import type { StoredPackage } from './rows.js'
import { Run } from './run.js'
import { beginRun, joinRun, type RunInfo, readFailures, readRuns } from './runs.js'
import { Shards } from './shards.js'
import { SharedOrigins } from './shared-origins.js'
import { Verification } from './verification.js'
import type { Committed, Version } from './versions.js'

export interface CatalogOptions {
  /** Whether to make the catalog where there is none. @defaultValue true */
  readonly create?: boolean | undefined
  /** Statements that can run at once, for many readers. Whole number of 1 or more. @defaultValue 1 */
  readonly connections?: number | undefined
}

export interface BeginRunOptions {
  /** Name of the repository; it is made where there is none. */
  readonly repository: string
  /** Whether to remove what upstream no longer has. @defaultValue false */
  readonly mirror?: boolean | undefined
  /** What the run was asked to do, for its row. Without credentials. @defaultValue `{}` */
  readonly options?: unknown
  /**
   * Stands for every option that decides which packages a project has: source, filters, policy. What was had
   * under another key is due again. @defaultValue `''`
   */
  readonly optionsKey?: string | undefined
  /**
   * The same for one project (by its normalised name), without mirror and `files`: what was had under the same key is
   * due again only if the index says so. @defaultValue `optionsKey` for all
   */
  readonly projectKey?: ((project: string) => string) | undefined
  /** Whether the files come with their packages: what was had without is due again. @defaultValue false */
  readonly files?: boolean | undefined
  /**
   * How old the last whole reading of a project's document may be, in ms: an older one is due again, whatever the
   * index says. @defaultValue `undefined`, any age
   */
  readonly fullCheckMs?: number | undefined
}

export class Catalog {
  readonly #database: Database
  readonly #runs = new Set<Run>()

  private constructor(database: Database) {
    this.#database = database
  }

  /**
   * Opens a catalog: the path of a SQLite file, whose folder must be there, or `:memory:`; or the URL of a PostgreSQL
   * database (`postgres://…`), in which it has a schema of its own.
   * @throws {@link CatalogError}, {@link OptionError}
   */
  static async open(
    location: string,
    { create = true, connections = 1 }: CatalogOptions = {}
  ): Promise<Catalog> {
    checkLocation(location)
    integer('connections', connections, 1)
    return new Catalog(await Database.open(location, create, undefined, connections))
  }

  /** Whether there is a catalog, or anything in its place. @throws {@link CatalogError}, {@link OptionError} */
  static async exists(location: string): Promise<boolean> {
    checkLocation(location)
    return await Database.exists(location)
  }

  /** What a server of the index asks. */
  get index(): IndexReader {
    return new IndexReader(this.#database)
  }

  /** What pages for people ask. */
  get browse(): BrowseReader {
    return new BrowseReader(this.#database)
  }

  /** The parts of runs that several processes take part in. */
  get shards(): Shards {
    return new Shards(this.#database)
  }

  /** What the processes of a cluster may ask of an origin together. */
  get origins(): SharedOrigins {
    return new SharedOrigins(this.#database)
  }

  /** Where it lies, without credentials. */
  get location(): string {
    return this.#database.location
  }

  /** Gives all locks back and closes the database. A run that was not finished can be gone on from. */
  async close(): Promise<void> {
    for (const run of this.#runs) await run.abandon()
    await this.#database.close()
  }

  /**
   * Takes the repository's lock, and prepares a run: goes on from what an unfinished run with the same options
   * left, and forgets what one with other options left.
   * @throws {@link BusyError} when another run of the repository is under way
   */
  async beginRun({
    repository,
    mirror = false,
    options = {},
    optionsKey = '',
    projectKey = () => optionsKey,
    files = false,
    fullCheckMs
  }: BeginRunOptions): Promise<Run> {
    text('repository', repository)
    const shown = encodeJson(options)
    // What was had without mirror was not marked as seen, so that it cannot say what is to be removed.
    const key = mirror ? `mirror ${optionsKey}` : optionsKey
    const keys = new ProjectKeys({ keyOf: projectKey, mirror, files })
    const repositoryId = await this.#makeRepository(repository)
    const release = await this.#database.lock(String(repositoryId))
    if (release === undefined) throw new BusyError(repository)
    try {
      const base = await this.#database.transaction(connection =>
        beginRun(
          connection,
          { repository, repositoryId, mirror, optionsKey: key, keys, fullCheckMs },
          shown,
          new Date().toISOString()
        )
      )
      const run = new Run(this.#database, base, async () => {
        this.#runs.delete(run)
        await release()
      })
      this.#runs.add(run)
      return run
    } catch (error) {
      await release()
      throw error
    }
  }

  /**
   * Takes part in a run that another process began, as one of several: without the repository's lock, which the other
   * holds. Each looks up and saves what is its own, flushes its ledger and leaves the run by `abandon`; one of them
   * commits and finishes it, when the others are done. Options as they were given to {@link beginRun}.
   * @throws {@link RunEndedError} when the run is not under way
   */
  async joinRun(
    id: number,
    {
      optionsKey = '',
      projectKey = () => optionsKey,
      files = false,
      fullCheckMs
    }: Pick<BeginRunOptions, 'optionsKey' | 'projectKey' | 'files' | 'fullCheckMs'> = {}
  ): Promise<Run> {
    const base = await this.#database.use(connection =>
      joinRun(connection, id, mirror => ({
        keys: new ProjectKeys({ keyOf: projectKey, mirror, files }),
        fullCheckMs
      }))
    )
    const run: Run = new Run(this.#database, base, async () => void this.#runs.delete(run))
    this.#runs.add(run)
    return run
  }

  /** Names of the repositories. */
  async repositories(): Promise<string[]> {
    const rows = await this.#all<{ name: string }>('SELECT name FROM repositories ORDER BY name')
    return rows.map(({ name }) => name)
  }

  /** The versions of a repository, oldest first. Version 0, which is empty, is not among them. */
  async versions(repository: string): Promise<Version[]> {
    const id = await this.#repositoryId(repository)
    return await this.#all<Version>(
      `SELECT number, created_at AS "createdAt", added, removed, present FROM versions
       WHERE repository_id = ? ORDER BY number`,
      id
    )
  }

  /**
   * The packages of a repository, sorted by project and file name, in bounded memory: of the newest version or
   * of `version`, of all projects or of one (by its normalised name).
   * @throws {@link CatalogError} when there is no such repository or version
   */
  async *packages(
    repository: string,
    {
      version,
      project
    }: { readonly version?: number | undefined; readonly project?: string | undefined } = {}
  ): AsyncGenerator<StoredPackage, void, undefined> {
    const id = await this.#repositoryId(repository)
    const at = version ?? (await this.#newest(id))
    await this.#checkVersion(repository, id, at)
    yield* readPackages(this.#database, id, at, project)
  }

  /**
   * What version `b` of a repository has otherwise than version `a`, sorted by project and file name, in bounded
   * memory. @throws {@link CatalogError} when there is no such repository or version
   */
  async *changes(repository: string, a: number, b: number): AsyncGenerator<Change, void, undefined> {
    const id = await this.#repositoryId(repository)
    await this.#checkVersion(repository, id, a)
    await this.#checkVersion(repository, id, b)
    yield* readChanges(this.#database, id, a, b)
  }

  /**
   * Makes a new version with the content of version `target`; none when the newest has it already. The projects
   * that changed are due at the next sync, which brings them to where upstream is.
   * @throws {@link BusyError} while a sync of the repository runs, {@link CatalogError}
   */
  async rollback(repository: string, target: number): Promise<Committed> {
    await this.#checkVersion(repository, await this.#repositoryId(repository), target)
    const run = await this.beginRun({
      repository,
      options: { rollback: target },
      optionsKey: `rollback ${target}`
    })
    try {
      const committed = await run.restore(target)
      await run.finish('done')
      return committed
    } catch (error) {
      await run.finish('failed')
      throw error
    }
  }

  /** The newest runs of a repository, newest first. */
  async runs(repository: string, limit = 20): Promise<RunInfo[]> {
    const id = await this.#repositoryId(repository)
    return await this.#database.use(connection => readRuns(connection, id, limit))
  }

  /** The run of a repository that is under way, and what it is doing; `undefined` where there is none. */
  async progress(repository: string): Promise<RunProgress | undefined> {
    const id = await this.#repositoryId(repository)
    return await this.#database.use(connection => readProgress(connection, id))
  }

  /** What a run of a repository could not have. */
  async failures(repository: string, run: number): Promise<Failure[]> {
    const id = await this.#repositoryId(repository)
    return await this.#database.use(connection => readFailures(connection, id, run))
  }

  /**
   * Removes the files that no package of any version has from the catalog and from `store`. While a sync runs
   * that might be about to use one of them, nothing is removed. Returns how many were removed.
   */
  async removeUnusedFiles(store: Store): Promise<number> {
    const release = await this.#lockAll()
    if (typeof release === 'string') return 0
    try {
      const unused = await this.#database.transaction(forgetFiles)
      for (const sha256 of unused) await store.delete(sha256)
      return unused.length
    } finally {
      await release()
    }
  }

  /**
   * Begins a check of the store against the catalog. With `repair` it holds the locks of all repositories until it is
   * ended. @throws {@link BusyError} with `repair`, while a sync of any repository runs
   */
  async beginVerification({
    repair = false
  }: {
    readonly repair?: boolean | undefined
  } = {}): Promise<Verification> {
    const release = repair ? await this.#lockAll() : async () => {}
    if (typeof release === 'string') throw new BusyError(release)
    return new Verification(this.#database, release)
  }

  /** Takes the locks of all repositories; gives the name of the first that another process has. */
  async #lockAll(): Promise<Release | string> {
    const repositories = await this.#all<{ id: number; name: string }>(
      'SELECT id, name FROM repositories ORDER BY id'
    )
    const releases: Release[] = []
    const release = async () => {
      for (const one of releases) await one()
    }
    for (const { id, name } of repositories) {
      const one = await this.#database.lock(String(id))
      if (one === undefined) {
        await release()
        return name
      }
      releases.push(one)
    }
    return release
  }

  async #checkVersion(repository: string, id: number, version: number): Promise<void> {
    // What is no whole number no database has.
    const found = Number.isSafeInteger(version)
      ? await this.#all(
          'SELECT 1 FROM versions WHERE repository_id = ? AND number = CAST(? AS bigint)',
          id,
          version
        )
      : []
    if (version !== 0 && found.length === 0)
      throw new CatalogError(this.location, `has no version ${version} of the repository ${repository}`)
  }

  async #repositoryId(name: string): Promise<number> {
    const [found] = await this.#all<{ id: number }>('SELECT id FROM repositories WHERE name = ?', name)
    if (found === undefined) throw new CatalogError(this.location, `has no repository ${name}`)
    return found.id
  }

  async #newest(repositoryId: number): Promise<number> {
    const [found] = await this.#all<{ number: number }>(
      'SELECT coalesce(max(number), 0) AS number FROM versions WHERE repository_id = ?',
      repositoryId
    )
    return (found as { number: number }).number
  }

  async #all<Row>(sql: string, ...bindings: Value[]): Promise<Row[]> {
    return await this.#database.use(connection => connection.all<Row>(sql, ...bindings))
  }

  async #makeRepository(name: string): Promise<number> {
    return await this.#database.transaction(async connection => {
      // Packages of other repositories are no drafts of this one.
      await connection.run(
        `INSERT INTO repositories (name, created_at, last_package)
         SELECT CAST(? AS text), CAST(? AS text), coalesce(max(id), 0) FROM packages WHERE true
         ON CONFLICT DO NOTHING`,
        name,
        new Date().toISOString()
      )
      const [row] = await connection.all<{ id: number }>('SELECT id FROM repositories WHERE name = ?', name)
      return (row as { id: number }).id
    })
  }
}

/** @throws {@link OptionError} for a URL of anything else, whose credentials stay untold */
function checkLocation(location: string): void {
  text('catalog', location)
  if (/^[a-z]+:\/\//i.test(location) && !isPostgresUrl(location))
    throw new OptionError('catalog', 'the path of a file or a postgres:// URL', 'another URL')
}
