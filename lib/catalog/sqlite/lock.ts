/**
 * A lock that dies with its process: an exclusive transaction on an empty file beside the catalog. The file
 * stays; removing it could let two processes hold locks on two files of one name.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import sqlite3 from 'sqlite3'
import type { Release } from '../driver.js'
import { run } from './connection.js'

/** Between two tries. SQLite's own waiting would keep one of Node's four threads, perhaps from the lock's holder. */
const TRY_AGAIN_MS = 25

/** Takes a lock, waiting at most `waitMs`; resolves with `undefined` when another holds it. */
export async function lock(location: string, name: string, waitMs = 0): Promise<Release | undefined> {
  const handle = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(`${location}-lock-${name}`, (error: Error | null) =>
      error ? reject(error) : resolve(opened)
    )
  })
  const close = () => new Promise<void>(resolve => handle.close(() => resolve()))
  const giveUpAt = performance.now() + waitMs
  try {
    await run(handle, 'PRAGMA busy_timeout = 0')
    while (!(await tryLock(handle))) {
      if (performance.now() >= giveUpAt) {
        await close()
        return undefined
      }
      await sleep(TRY_AGAIN_MS)
    }
  } catch (error) {
    await close()
    throw error
  }
  return close
}

async function tryLock(handle: sqlite3.Database): Promise<boolean> {
  try {
    await run(handle, 'BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'SQLITE_BUSY') return false
    throw error
  }
}
