/**
 * The parts of a run that several processes take part in. What each has to do and what came of it is in the catalog, in
 * the transactions that end it, so that the queue need know nothing but their numbers.
 *
 * A shard is one worker's at a time: whoever takes it has another token, and from then on whoever had it before can
 * neither tell of it nor end it. What that one saved stays, and its projects are read again.
 */
import { randomUUID } from 'node:crypto'
import { ClusterError, RunEndedError } from '../errors.js'
import { addCounts, type Counts, countsOf } from '../progress.js'
import type { ListedProject } from '../pypi/listing.js'
import { normalizeName } from '../pypi/name.js'
import { emptyReport, type Failure } from '../report.js'
import type { Connection, Database } from './database.js'
import { encodeJson } from './json.js'
import type { KnownListing } from './known.js'
import { decodeFailure, FAILURE_COLUMNS, holdRun, insertFailures } from './runs.js'

/** What a process reports of its part. */
export interface ShardReport {
  readonly counts: Counts
  /** Whether the listing told less than what there is of one of the projects. */
  readonly unsure: boolean
}

/** What the process that read the listing reports of it. */
export interface ListingReport extends ShardReport {
  /** Whether the index named all its projects, and what the next run may know of that, if nothing else speaks against it. */
  readonly listing: { readonly complete: boolean; readonly kept: KnownListing | undefined }
}

/** A project to be fetched, as it was listed; where its document lies only where that is not where all lie. */
export type ShardProject = Pick<ListedProject, 'name' | 'url' | 'serial'>

/** A shard that a worker has. */
export interface Shard {
  readonly run: number
  readonly number: number
  readonly token: string
  readonly projects: readonly ListedProject[]
}

/** How far the shards of a run are. */
export interface ShardsState {
  /** `running`, or how it ended. */
  readonly state: string
  readonly shards: number
  readonly done: number
  /** Workers that have a shard. */
  readonly workers: number
  readonly counts: Counts
}

/** The number of what the listing was. */
const LISTING = 0

export class Shards {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Writes down what there is to do, as shards 1, 2 … @throws {@link RunEndedError} */
  async layDown(
    run: number,
    shards: readonly (readonly ShardProject[])[],
    listing: ListingReport
  ): Promise<void> {
    await this.#database.transaction(async connection => {
      await holdRun(connection, run)
      await connection.run(
        'INSERT INTO shards (run_id, number, projects, report, done_at) VALUES (?, ?, ?, ?, ?)',
        ...[run, LISTING, '[]', encodeJson(listing), now()]
      )
      for (const [at, projects] of shards.entries()) {
        const rows = projects.map(({ name, serial, url }) => [
          name,
          serial ?? null,
          ...(url === undefined ? [] : [url])
        ])
        await connection.run(
          'INSERT INTO shards (run_id, number, projects) VALUES (?, ?, ?)',
          ...[run, at + 1, encodeJson(rows)]
        )
      }
    })
  }

  /** The repository of a run under way, and what it was asked to do. @throws {@link RunEndedError} */
  async asked(run: number): Promise<{ readonly repository: string; readonly options: unknown }> {
    const [row] = await this.#database.use(connection =>
      connection.all<{ name: string; options: string }>(
        `SELECT name, options FROM runs CROSS JOIN repositories ON repositories.id = repository_id
         WHERE runs.id = ? AND state = 'running'`,
        run
      )
    )
    if (row === undefined) throw new RunEndedError(run)
    return { repository: row.name, options: JSON.parse(row.options) }
  }

  /** Takes a shard, from whoever had it; `undefined` when it is done. @throws {@link RunEndedError} */
  async take(run: number, number: number, worker: string): Promise<Shard | undefined> {
    const token = randomUUID()
    return await this.#database.transaction(async connection => {
      await holdRun(connection, run)
      const [found] = await connection.all<{
        projects: string
        token: string | null
        done_at: string | null
      }>(
        `SELECT projects, token, done_at FROM shards WHERE run_id = ? AND number = ? ${connection.dialect.forUpdate}`,
        ...[run, number]
      )
      if (found === undefined) throw new ClusterError(run, `it has no shard ${number}`)
      if (found.done_at !== null) return undefined
      await connection.run(
        'UPDATE shards SET token = ?, worker = ?, report = NULL WHERE run_id = ? AND number = ?',
        ...[token, worker, run, number]
      )
      const rows = JSON.parse(found.projects) as [string, number | null, string?][]
      const projects = rows.map(([name, serial, url]) => ({
        ...{ project: normalizeName(name), name, url, serial: serial ?? undefined }
      }))
      // Read again, so that the shard reports them whole. Of its packages those that are saved are found to be.
      if (found.token !== null) await forgetStates(connection, run, projects)
      return { run, number, token, projects }
    })
  }

  /** Says how far a shard is. @throws {@link RunEndedError}; {@link ClusterError} when another worker has it */
  async tell(shard: Shard, report: ShardReport): Promise<void> {
    await this.#database.transaction(connection => update(connection, shard, report, null))
  }

  /** Ends a shard, with what could not be had. @throws as {@link tell} */
  async end(shard: Shard, report: ShardReport, failures: readonly Failure[]): Promise<void> {
    await this.#database.transaction(async connection => {
      await update(connection, shard, report, now())
      if (failures.length > 0) await insertFailures(connection, shard.run, failures)
    })
  }

  /** Gives a shard back, for another to begin. */
  async giveBack({ run, number, token }: Shard): Promise<void> {
    await this.#database.use(connection =>
      connection.run(
        'UPDATE shards SET worker = NULL, report = NULL WHERE run_id = ? AND number = ? AND token = ?',
        ...[run, number, token]
      )
    )
  }

  /** Notes why a run will not be committed, for the process that waits for it. */
  async fail(run: number, failures: readonly Failure[]): Promise<void> {
    await this.#database.transaction(connection => insertFailures(connection, run, failures))
  }

  /** How far a run is. */
  async state(run: number): Promise<ShardsState> {
    return await this.#database.use(async connection => {
      const [found] = await connection.all<{ state: string; report: string | null }>(
        'SELECT state, report FROM runs WHERE id = ?',
        run
      )
      const rows = await readShards(connection, run)
      const shards = rows.filter(({ number }) => number !== LISTING)
      const working = shards.filter(({ worker, done_at: doneAt }) => worker !== null && doneAt === null)
      return {
        state: found?.state ?? 'dead',
        shards: shards.length,
        done: shards.filter(({ done_at: doneAt }) => doneAt !== null).length,
        workers: new Set(working.map(({ worker }) => worker)).size,
        counts: found?.report ? JSON.parse(found.report) : sumOf(rows)
      }
    })
  }

  /** What a run could not have. */
  async failures(run: number): Promise<Failure[]> {
    const rows = await this.#database.use(connection =>
      connection.all<Parameters<typeof decodeFailure>[0]>(
        `SELECT ${FAILURE_COLUMNS} FROM failures WHERE run_id = ? ORDER BY project, filename, failures.id`,
        run
      )
    )
    return rows.map(decodeFailure)
  }
}

/** What all parts of a run came to. @throws {@link ClusterError} when one is not done */
export async function sumShards(
  connection: Connection,
  run: number
): Promise<ShardReport & ListingReport & { readonly startedAt: string }> {
  const rows = await readShards(connection, run)
  const open = rows.filter(({ done_at: doneAt }) => doneAt === null)
  const [listing] = rows
  if (open.length > 0 || listing === undefined)
    throw new ClusterError(run, `${open.length} of its shards are not done`)
  const [row] = await connection.all<{ started_at: string }>('SELECT started_at FROM runs WHERE id = ?', run)
  const reports = rows.map(({ report }) => JSON.parse(report as string) as ShardReport)
  return {
    startedAt: row?.started_at as string,
    counts: sumOf(rows),
    unsure: reports.some(({ unsure }) => unsure),
    listing: (reports[0] as ListingReport).listing
  }
}

/** Forgets the shards of runs of a repository that are over, and origins of which nothing is to be known. */
export async function clearShards(connection: Connection, repositoryId: number): Promise<void> {
  await connection.run(
    `DELETE FROM shards WHERE run_id IN (
       SELECT id FROM runs WHERE repository_id = ? AND state <> 'running')`,
    repositoryId
  )
  const { now } = connection.dialect
  await connection.run(`DELETE FROM origins WHERE next_slot < ${now} AND paused_until < ${now}`)
}

interface ShardRow {
  readonly number: number
  readonly report: string | null
  readonly worker: string | null
  readonly done_at: string | null
}

async function readShards(connection: Connection, run: number): Promise<ShardRow[]> {
  return await connection.all<ShardRow>(
    'SELECT number, report, worker, done_at FROM shards WHERE run_id = ? ORDER BY number',
    run
  )
}

function sumOf(rows: readonly ShardRow[]): Counts {
  const reports = rows.flatMap(({ report }) =>
    report === null ? [] : [(JSON.parse(report) as ShardReport).counts]
  )
  return reports.length === 0 ? countsOf(emptyReport('')) : reports.reduce(addCounts)
}

async function update(
  connection: Connection,
  { run, number, token }: Shard,
  report: ShardReport,
  doneAt: string | null
): Promise<void> {
  await holdRun(connection, run)
  const updated = await connection.run(
    'UPDATE shards SET report = ?, done_at = ? WHERE run_id = ? AND number = ? AND token = ? AND done_at IS NULL',
    ...[encodeJson(report), doneAt, run, number, token]
  )
  if (updated === 0) throw new ClusterError(run, `another worker has shard ${number} now`)
}

/** Makes those of `projects` due again that the run has settled. */
async function forgetStates(
  connection: Connection,
  run: number,
  projects: readonly ListedProject[]
): Promise<void> {
  await connection.run(
    `UPDATE projects SET options_key = NULL
     WHERE repository_id = (SELECT repository_id FROM runs WHERE id = ?) AND checked_run = ?
       AND project IN (SELECT value FROM ${connection.dialect.values('?', 'text')} AS given)`,
    ...[run, run, encodeJson(projects.map(({ project }) => project))]
  )
}

function now(): string {
  return new Date().toISOString()
}
