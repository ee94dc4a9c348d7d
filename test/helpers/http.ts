/** What tests of downloads have in common: a dispatcher of their own, servers, and a look at what is left over. */
import { existsSync, readdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as immediate } from 'node:timers/promises'
import type { Test } from 'tap'
import { Agent, type Dispatcher } from 'undici'
import type { Body, Downloaded } from '../../lib/http/body.js'
import type { Downloadable, DownloadSettings } from '../../lib/http/download.js'
import { Origins } from '../../lib/http/origins.js'
import { retryPolicy } from '../../lib/http/retry.js'
import { Downloader, type DownloaderOptions } from '../../streams/downloader.js'

/** An agent that is closed when the test ends. */
export function ownAgent(t: Test, options: Agent.Options = {}): Agent {
  const agent = new Agent(options)
  t.teardown(() => agent.destroy())
  return agent
}

export interface PlainServer {
  readonly origin: string
  readonly requests: IncomingMessage[]
  readonly connections: number
}

/** Any server, which counts. */
export async function plainServer(t: Test, listener: RequestListener): Promise<PlainServer> {
  const requests: IncomingMessage[] = []
  let connections = 0
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  server.on('connection', socket => {
    connections++
    socket.on('close', () => connections--)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get connections() {
      return connections
    }
  }
}

const directories = new WeakMap<Test, string>()

/** A folder of the test's own, empty when it begins. */
export function directoryOf(t: Test): string {
  let directory = directories.get(t)
  if (directory === undefined) {
    directory = t.testdir({})
    directories.set(t, directory)
  }
  return directory
}

/** Settings for `download`, with waits of about a millisecond. */
export function downloadSettings(t: Test, changes: Partial<DownloadSettings> = {}): DownloadSettings {
  return {
    dispatcher: changes.dispatcher ?? ownAgent(t),
    origins: new Origins(),
    retry: retryPolicy({ minTimeout: 1, maxTimeout: 2 }),
    headers: {},
    authorization: undefined,
    digest: undefined,
    directory: changes.directory ?? directoryOf(t),
    maxMemoryBytes: 1024 * 1024,
    maxBodyBytes: 2 ** 33,
    maxRedirects: 10,
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
    deadlineMs: 60_000,
    minBytesPerSecond: 0,
    allowPrivate: true,
    ...changes
  }
}

export interface Outcome<T> {
  readonly downloaded: Downloaded<T>[]
  readonly bodies: Buffer[]
  readonly skipped: { readonly item: T; readonly error: Error & { code?: string; attempts?: number } }[]
  readonly retried: {
    readonly item: T
    readonly error: Error & { code?: string }
    readonly delayMs: number
  }[]
}

/** Downloads all items with waits of about a millisecond; what cannot be had is in `skipped`. */
export async function downloadAll<T extends Downloadable>(
  t: Test,
  items: Iterable<T>,
  options: DownloaderOptions<T> & { readonly dispatcher: Dispatcher }
): Promise<Outcome<T>> {
  const outcome: Outcome<T> = { downloaded: [], bodies: [], skipped: [], retried: [] }
  const directory = options.directory ?? directoryOf(t)
  const downloader = new Downloader<T>({ minTimeout: 1, maxTimeout: 2, directory, ...options })
  downloader.on('skip', (item, error) => outcome.skipped.push({ item, error }))
  downloader.on('retry', (item, error, delayMs) => outcome.retried.push({ item, error, delayMs }))
  Readable.from(items).pipe(downloader)
  for await (const one of downloader as AsyncIterable<Downloaded<T>>) {
    outcome.downloaded.push(one)
    outcome.bodies.push(await bytesOf(one.body))
  }
  return outcome
}

/** All bytes of a body, whose file is removed. */
export async function bytesOf(body: Body): Promise<Buffer> {
  const bytes = await body.buffer()
  await body.discard()
  return bytes
}

/** Checks that no socket and no file is left; closes the agent for that. */
export async function leavesNothing(
  t: Test,
  agent: Dispatcher,
  server: { readonly connections: number },
  directory = directoryOf(t)
): Promise<void> {
  await agent.close()
  await until(() => server.connections === 0)
  t.strictSame(filesIn(directory), [], 'no temporary files')
}

export function filesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : []
}

/** Waits for what happens in some later turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await immediate()
}

/** Some turns of the event loop, in which whatever can happen does. */
export async function settled(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await immediate()
}
