/** A Redis server of a test's own. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { freePort } from './postgres-server.js'

/** Options of a test that needs one. */
export const needsRedis: { readonly skip?: string } = installed()
  ? {}
  : { skip: 'redis-server is not installed' }

/** Starts one, in memory only, that ends with the test. Returns its URL. */
export async function startRedis(t: Test): Promise<string> {
  const port = await freePort()
  const server = spawn(
    'redis-server',
    ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', t.testdir()],
    {
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  t.teardown(async () => {
    server.kill('SIGKILL')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  })
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.includes('Ready to accept connections')) break
  }
  server.stdout.resume()
  return `redis://127.0.0.1:${port}`
}

function installed(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
