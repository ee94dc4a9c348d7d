/**
 * A folder of temporary files, each with the name of the process that writes it, so that what a dead one left can be
 * found.
 */
import { readdir, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { StoreError } from '../errors.js'

/** `HOST.PID.RANDOM.tmp`, as `temporaryName` makes them; a host name may have dots. */
const TEMPORARY = /^(.+)\.(\d+)\.[0-9a-f]+\.tmp$/

/** Names of the temporary files of processes of this host that are no longer alive. @throws {@link StoreError} */
export async function* leftoversOf(folder: string): AsyncGenerator<string, void, undefined> {
  for (const name of await entries(folder)) {
    const [, host, pid] = TEMPORARY.exec(name) ?? []
    if (host !== hostname()) continue
    const path = join(folder, name)
    const found = await orAbsent(path, stat(path))
    if (found !== undefined && !alive(Number(pid), found.mtimeMs)) yield name
  }
}

/** Removes those. Returns how many they were. @throws {@link StoreError} */
export async function cleanFolder(folder: string): Promise<number> {
  let removed = 0
  for await (const name of leftoversOf(folder)) {
    const path = join(folder, name)
    try {
      await unlink(path)
      removed++
    } catch (error) {
      // Another process may clean, too.
      if (code(error) !== 'ENOENT') throw new StoreError(path, 'remove', error)
    }
  }
  return removed
}

/** What is in a folder; nothing when it is not there. @throws {@link StoreError} */
export async function entries(path: string): Promise<string[]> {
  return (await orAbsent(path, readdir(path))) ?? []
}

/** What was asked of a path; `undefined` when nothing is there. @throws {@link StoreError} */
export async function orAbsent<T>(path: string, asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (code(error) === 'ENOENT') return undefined
    throw new StoreError(path, 'read', error)
  }
}

/** Whether a process of this host that wrote a temporary file at `writtenMs` is still there. */
function alive(pid: number, writtenMs: number): boolean {
  // In a container each process has the number of the one before it.
  if (pid === process.pid) return writtenMs >= Date.now() - process.uptime() * 1000
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return code(error) === 'EPERM'
  }
}

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
