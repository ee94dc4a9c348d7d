/** Starts a small index for a test, and closes it when the test ends. */
import type { Test } from 'tap'
import {
  type IndexServer,
  type IndexServerOptions,
  startIndexServer
} from '../../benchmarks/index-server/server.js'

export async function indexServer(t: Test, options: IndexServerOptions = {}): Promise<IndexServer> {
  const server = await startIndexServer(options)
  t.teardown(() => server.close())
  return server
}
