/**
 * A check of what the catalog says of the store: its statements, with locks where something is to be mended.
 */
import { isPrivateHost } from '../http/address.js'
import type { StoredFile } from '../store/store.js'
import type { Connection, Database, Release } from './database.js'
import { forgetFiles, unneeded } from './retention.js'
import { lastSyncOptions } from './runs.js'

/**
 * What can be wrong. Of a file that the catalog knows: it is not in the store (`missing`), cannot be read
 * (`unreadable`), has other bytes (`damaged`), or is right though its row has another size (`wrong-size`); no package
 * has it (`unneeded`). Of a package: its file is not known (`unknown`), or is not the one that it states
 * (`mismatch`). Of the store: a file that the catalog does not know (`orphan`), and what a process that died left
 * half-written (`leftover`).
 */
export type ProblemKind =
  | 'missing'
  | 'unreadable'
  | 'damaged'
  | 'wrong-size'
  | 'unneeded'
  | 'unknown'
  | 'mismatch'
  | 'orphan'
  | 'leftover'

/** A file that was read, and what is wrong with it, if anything is. */
export interface CheckedFile extends StoredFile {
  /** Bytes read. */
  readonly read: number
  readonly wrong?: { readonly kind: ProblemKind; readonly message: string } | undefined
}

/** One package that has a file. */
export interface Holder {
  readonly id: number
  readonly projectId: number
  readonly project: string
  readonly filename: string
  readonly url: string
  readonly repositoryId: number
}

/** A file with which something is wrong, and the packages that have it. */
export interface BrokenFile extends CheckedFile {
  readonly wrong: NonNullable<CheckedFile['wrong']>
  readonly holders: readonly Holder[]
}

/** A package whose file is not known, or is not the one that it states. */
export interface BrokenReference extends Holder {
  readonly file: string
  readonly message: string
}

/** Rows a page: the memory that a check takes. */
const PAGE_ROWS = 1000

const HOLDER = `packages.id, packages.project_id AS "projectId", projects.project, packages.filename, packages.url,
  projects.repository_id AS "repositoryId"`

export class Verification {
  readonly #database: Database
  readonly #release: Release

  /** @internal Use `Catalog.beginVerification`. */
  constructor(database: Database, release: Release) {
    this.#database = database
    this.#release = release
  }

  /** Gives the locks back. */
  async end(): Promise<void> {
    await this.#release()
  }

  /** How many files {@link files} gives, and how many bytes they have. */
  async totals(before: string, share: number): Promise<{ readonly files: number; readonly bytes: number }> {
    return await this.#database.use(async connection => {
      const [all] = await connection.all<{ files: number }>('SELECT count(*) AS files FROM files')
      const limit = Math.ceil((all as { files: number }).files * share)
      const [totals] = await connection.all<{ files: number; bytes: number }>(
        `SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM (
           SELECT size FROM files WHERE verified_at < ? ORDER BY verified_at, sha256 LIMIT ?) AS asked`,
        before,
        limit
      )
      return totals as { files: number; bytes: number }
    })
  }

  /** The first `limit` files that were not verified since `before`, those first that were not for longest. */
  async *files(before: string, limit: number): AsyncGenerator<StoredFile, void, undefined> {
    let [verifiedAt, sha256] = ['', '']
    let left = limit
    while (left > 0) {
      // What was verified meanwhile has moved to the end, past `before`.
      const rows = await this.#database.use(connection =>
        connection.all<StoredFile & { verified_at: string }>(
          `SELECT sha256, size, verified_at FROM files
           WHERE verified_at < ? AND (verified_at, sha256) > (?, ?) ORDER BY verified_at, sha256 LIMIT ?`,
          before,
          verifiedAt,
          sha256,
          Math.min(left, PAGE_ROWS)
        )
      )
      for (const row of rows) yield { sha256: row.sha256, size: row.size }
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE_ROWS) return
      left -= rows.length
      verifiedAt = last.verified_at
      sha256 = last.sha256
    }
  }

  /** Notes which files are right, and gives the others, as far as they are still known. */
  async judge(checked: readonly CheckedFile[], now: string): Promise<BrokenFile[]> {
    const right = checked.filter(({ wrong }) => wrong === undefined).map(({ sha256 }) => sha256)
    const wrong = new Map(checked.filter(isBroken).map(file => [file.sha256, file]))
    return await this.#database.use(async connection => {
      const asked = connection.dialect.values('?', 'text')
      await connection.run(
        `UPDATE files SET verified_at = ? WHERE sha256 IN ${asked}`,
        now,
        JSON.stringify(right)
      )
      if (wrong.size === 0) return []
      const digests = JSON.stringify([...wrong.keys()])
      const known = await connection.all<{ sha256: string }>(
        `SELECT sha256 FROM files WHERE sha256 IN ${asked}`,
        digests
      )
      const holders = await connection.all<Holder & { file: string }>(
        `SELECT packages.file, ${HOLDER} FROM packages JOIN projects ON projects.id = packages.project_id
         WHERE packages.file IN ${asked} ORDER BY packages.id`,
        digests
      )
      return known.map(({ sha256 }) => ({
        ...(wrong.get(sha256) as Omit<BrokenFile, 'holders'>),
        holders: holders.filter(({ file }) => file === sha256)
      }))
    })
  }

  /** Packages whose file the catalog does not know. */
  unknown(): AsyncGenerator<BrokenReference, void, undefined> {
    return this.#references(
      'files.sha256 IS NULL',
      ({ file }) => `the catalog does not know its file ${file}`
    )
  }

  /** Packages whose file is not what they state. */
  mismatches(): AsyncGenerator<BrokenReference, void, undefined> {
    return this.#references(
      'files.sha256 IS NOT NULL AND (lower(packages.sha256) <> packages.file OR packages.size <> files.size)',
      ({ file }) => `it states another digest or size than its file ${file} has`
    )
  }

  /** Files that no package has. */
  async *unneeded(): AsyncGenerator<StoredFile, void, undefined> {
    let last = ''
    while (true) {
      const rows = await this.#database.use(connection =>
        connection.all<StoredFile>(
          `SELECT sha256, size FROM files WHERE sha256 > ? AND ${unneeded(connection)}
           ORDER BY sha256 LIMIT ${PAGE_ROWS}`,
          last
        )
      )
      yield* rows
      if (rows.length < PAGE_ROWS) return
      last = (rows.at(-1) as StoredFile).sha256
    }
  }

  /** Those of `digests` that the catalog does not know. */
  async strangers(digests: readonly string[]): Promise<Set<string>> {
    const rows = await this.#database.use(connection =>
      connection.all<{ value: string }>(
        `SELECT value FROM ${connection.dialect.values('?', 'text')} AS given
         WHERE NOT EXISTS (SELECT 1 FROM files WHERE sha256 = value)`,
        JSON.stringify(digests)
      )
    )
    return new Set(rows.map(({ value }) => value))
  }

  /** Lets the catalog know of files that the store has. */
  async adopt({ sha256, size }: StoredFile, now: string): Promise<void> {
    await this.#database.use(connection =>
      connection.run(
        'INSERT INTO files (sha256, size, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        sha256,
        size,
        now
      )
    )
  }

  /** Notes that a file is right, and its size. */
  async mend({ sha256, size }: StoredFile, now: string): Promise<void> {
    await this.#database.use(connection =>
      connection.run('UPDATE files SET size = ?, verified_at = ? WHERE sha256 = ?', size, now, sha256)
    )
  }

  /** Forgets a file: packages that have it have none now, and their projects are due. */
  async lose(sha256: string, holders: readonly Holder[]): Promise<void> {
    await this.#database.transaction(async connection => {
      await clear(connection, holders)
      await connection.run('DELETE FROM files WHERE sha256 = ?', sha256)
    })
  }

  /** Packages have no file now, and their projects are due. */
  async clear(holders: readonly Holder[]): Promise<void> {
    await this.#database.transaction(connection => clear(connection, holders))
  }

  /** Forgets the files that no package has; the store has them still. */
  async forget(): Promise<string[]> {
    return await this.#database.transaction(forgetFiles)
  }

  /** Whether files of a repository may lie at private addresses: as in its last sync, by its options and its index. */
  async allowsPrivate(repositoryId: number): Promise<boolean> {
    const options = await this.#database.use(connection => lastSyncOptions(connection, repositoryId))
    if (options === undefined) return false
    const { indexUrl, allowPrivate } = JSON.parse(options) as { indexUrl: string; allowPrivate?: boolean }
    return allowPrivate ?? (URL.canParse(indexUrl) && isPrivateHost(new URL(indexUrl).hostname))
  }

  async *#references(
    condition: string,
    message: (row: { readonly file: string }) => string
  ): AsyncGenerator<BrokenReference, void, undefined> {
    let last = 0
    while (true) {
      const rows = await this.#database.use(connection =>
        connection.all<Omit<BrokenReference, 'message'>>(
          `SELECT packages.file, ${HOLDER} FROM packages CROSS JOIN projects ON projects.id = packages.project_id
           LEFT JOIN files ON files.sha256 = packages.file
           WHERE packages.id > ? AND packages.file IS NOT NULL AND ${condition}
           ORDER BY packages.id LIMIT ${PAGE_ROWS}`,
          last
        )
      )
      for (const row of rows) yield { ...row, message: message(row) }
      if (rows.length < PAGE_ROWS) return
      last = (rows.at(-1) as Holder).id
    }
  }
}

function isBroken(file: CheckedFile): file is Omit<BrokenFile, 'holders'> {
  return file.wrong !== undefined
}

async function clear(connection: Connection, holders: readonly Holder[]): Promise<void> {
  await connection.run(
    `UPDATE packages SET file = NULL WHERE id IN ${connection.dialect.values('?', 'bigint')}`,
    JSON.stringify(holders.map(({ id }) => id))
  )
  await connection.run(
    `UPDATE projects SET options_key = NULL WHERE id IN ${connection.dialect.values('?', 'bigint')}`,
    JSON.stringify(holders.map(({ projectId }) => projectId))
  )
}
