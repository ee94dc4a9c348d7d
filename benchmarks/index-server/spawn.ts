/**
 * Runs the index in a process of its own, so that a benchmark does not measure it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { IndexStats } from './counts.js'

/** A running index in another process. */
export interface SpawnedIndex {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** `ORIGIN/simple/` */
  readonly indexUrl: string
  readonly pid: number
  stats(): Promise<IndexStats>
  reset(): Promise<void>
  /** Publishes a new version of so many projects, spread over the whole index; the same ones each time. */
  release(count: number): Promise<void>
  /** Ends the process; resolves when it is gone. May be called more than once. */
  stop(): Promise<void>
}

/** The command line of the index, without the dashes: `{ projects: 1000, 'file-bytes': 'none', wheels: true }`. */
export type SpawnOptions = Readonly<Record<string, string | number | boolean | undefined>>

/** Starts an index. It ends with `stop()`, and by itself when this process ends in whatever way. */
export async function spawnIndexServer(options: SpawnOptions = {}): Promise<SpawnedIndex> {
  const args = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false) return []
    return value === true ? [`--${name}`] : [`--${name}`, String(value)]
  })
  // Beside this file, in the same language: TypeScript where a loader runs this very file so.
  const main = fileURLToPath(
    new URL(`./main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  )
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, MILLRACE_INDEX_CHILD: '1' }
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => text as string),
    exited.then(([code]) =>
      Promise.reject(new Error(`The index ended with status ${code} before it listened`))
    )
  ])
  const { origin, indexUrl } = JSON.parse(line) as { origin: string; indexUrl: string }
  const call = async (path: string, method: string) => {
    const response = await fetch(origin + path, { method, headers: { connection: 'close' } })
    return response.text()
  }
  return {
    origin,
    indexUrl,
    pid: child.pid as number,
    stats: async () => JSON.parse(await call('/-/stats', 'GET')) as IndexStats,
    reset: async () => void (await call('/-/reset', 'POST')),
    release: async count => void (await call(`/-/release?count=${count}`, 'POST')),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
      lines.close()
    }
  }
}
