/**
 * The statements that forget old versions, and files that no version needs.
 */
import type { Connection } from './database.js'
import { OF_REPOSITORY } from './versions.js'

/** Forgets all versions of a repository but the newest `keep`, and the packages that only those had. */
export async function forgetVersions(
  connection: Connection,
  repositoryId: number,
  keep: number
): Promise<{ readonly versions: number; readonly packages: number }> {
  const [oldest] = await connection.all<{ number: number }>(
    'SELECT number FROM versions WHERE repository_id = ? ORDER BY number DESC LIMIT 1 OFFSET ?',
    repositoryId,
    keep - 1
  )
  if (oldest === undefined) return { versions: 0, packages: 0 }
  const versions = await connection.run(
    'DELETE FROM versions WHERE repository_id = ? AND number < ?',
    repositoryId,
    oldest.number
  )
  const packages =
    versions === 0
      ? 0
      : await connection.run(
          `DELETE FROM packages WHERE removed <= ? AND ${OF_REPOSITORY}`,
          oldest.number,
          repositoryId
        )
  return { versions, packages }
}

/**
 * SQL for: no package has the file of row `files`, as its own or as its METADATA, which a server keeps. By EXCEPT, since
 * no index says which package has a file, and of a NOT IN PostgreSQL makes a list that it goes through for each file.
 */
export function unneeded({ dialect }: Connection): string {
  const metadata = dialect.field('core_metadata', 'sha256')
  return `files.sha256 IN (
    SELECT sha256 FROM files
    EXCEPT SELECT file FROM packages WHERE file IS NOT NULL
    EXCEPT SELECT lower(${metadata}) FROM packages WHERE core_metadata LIKE '{%')`
}

/** Forgets the files that no package has, and returns their digests; the store has them still. */
export async function forgetFiles(connection: Connection): Promise<string[]> {
  const rows = await connection.all<{ sha256: string }>(
    `DELETE FROM files WHERE ${unneeded(connection)} RETURNING sha256`
  )
  return rows.map(({ sha256 }) => sha256)
}
