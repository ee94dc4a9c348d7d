/**
 * A lock that dies with its process: an exclusive transaction on an empty file beside the catalog. The file
 * stays; removing it could let two processes hold locks on two files of one name.
 */
import sqlite3 from 'sqlite3'
import { run } from './connection.js'

/** Gives a lock back. May be called more than once. */
export type Release = () => Promise<void>

/** Takes a lock, waiting at most `waitMs`; resolves with `undefined` when another holds it. */
export async function lock(location: string, name: string, waitMs = 0): Promise<Release | undefined> {
  const handle = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(`${location}-lock-${name}`, (error: Error | null) =>
      error ? reject(error) : resolve(opened)
    )
  })
  const close = () => new Promise<void>(resolve => handle.close(() => resolve()))
  try {
    await run(handle, `PRAGMA busy_timeout = ${waitMs}`)
    await run(handle, 'BEGIN EXCLUSIVE')
  } catch (error) {
    await close()
    if ((error as NodeJS.ErrnoException).code === 'SQLITE_BUSY') return undefined
    throw error
  }
  return close
}
