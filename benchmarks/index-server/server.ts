/**
 * A small package index for tests, benchmarks and the demo: speaks PEP 691 JSON, PEP 503 HTML and
 * `/pypi/NAME/json`, counts what clients do to it, and fails when told to.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AnswerOptions, Answers, kindOf, plain } from './answer.js'
import { Counts, type IndexStats, type RecordedRequest } from './counts.js'
import { type Chaos, disturb, type Fault, Faults } from './faults.js'
import { type MadeUpOptions, MadeUpSource } from './made-up.js'
import { Overlay } from './overlay.js'
import { Bandwidth, send } from './send.js'
import { type IndexSource, JoinedSource } from './source.js'

export interface IndexServerOptions extends MadeUpOptions, AnswerOptions {
  /** Projects other than made-up ones; they come first. */
  readonly sources?: readonly IndexSource[] | undefined
  /** One more made-up project, whose PEP 691 document has about as many bytes. */
  readonly huge?: { readonly name: string; readonly bytes: number } | undefined
  /** Ms from the arrival of a request to its answer. @defaultValue 0 */
  readonly latencyMs?: number | undefined
  /** Of all answers together. @defaultValue as fast as it goes */
  readonly bytesPerSecond?: number | undefined
  /** Keeps every request (100,000 at most) for `requests()`. @defaultValue true */
  readonly record?: boolean | undefined
  /** @defaultValue 0, which takes a free one */
  readonly port?: number | undefined
}

/** What a route of a test's own answers with, or a function that answers. */
export type Route =
  | {
      readonly body?: Buffer | string | undefined
      readonly status?: number
      readonly headers?: Record<string, string>
    }
  | ((request: IncomingMessage, response: ServerResponse) => void)

/** A running index. */
export interface IndexServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** `ORIGIN/simple/` */
  readonly indexUrl: string
  /** Changes what it serves. */
  readonly index: Overlay
  /** Adds a fault; gives a function that takes it away. */
  fault(fault: Fault): () => void
  /** Adds faults at random; gives a function that takes them away. */
  chaos(chaos: Chaos): () => void
  clearFaults(): void
  /** Answers a path in its own way; it is counted, delayed and disturbed like all others. */
  route(path: string, route: Route): void
  stats(): IndexStats
  /** The requests whose path and query contain a text or match, in order of arrival. */
  requests(match?: string | RegExp): RecordedRequest[]
  reset(): void
  latencyMs: number
  /** Refuses connections, and drops those there are, until `up()`. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

/** Starts an index on 127.0.0.1. */
export async function startIndexServer(options: IndexServerOptions = {}): Promise<IndexServer> {
  const { sources = [], huge, latencyMs = 0, bytesPerSecond, record: keep = true, port = 0 } = options
  const index = new Overlay(new JoinedSource([...sources, new MadeUpSource(options, huge)]))
  const answers = new Answers(index, options)
  const counts = new Counts(keep)
  const faults = new Faults()
  const routes = new Map<string, Route>()
  const bandwidth = bytesPerSecond === undefined ? undefined : new Bandwidth(bytesPerSecond)

  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
    const { method = 'GET', url = '/' } = request
    const query = url.indexOf('?')
    const path = query < 0 ? url : url.slice(0, query)
    if (path.startsWith('/-/')) {
      control(request, response, path)
      return
    }
    const kind = kindOf(path)
    const record = counts.begin(method, url, kind, request.headers)
    let open = true
    const end = () => {
      if (open) counts.end(record)
      open = false
    }
    // `finish` comes before the client can have read the end and asked again, `close` alone if it went away.
    response.on('finish', end).on('close', end)
    const fault = faults.next(url)
    record.fault = fault?.kind
    const respond = () => {
      if (response.destroyed) return
      const route = routes.get(path)
      if (typeof route === 'function' && fault === undefined) {
        response.on('finish', () => {
          record.status = response.statusCode
        })
        route(request, response)
        return
      }
      const answer = typeof route === 'object' ? routeAnswer(route) : answers.to(path, kind, request.headers)
      const delivery = fault === undefined ? { answer } : disturb(answer, fault, url)
      send(request, response, delivery, record, bandwidth).catch(error => response.destroy(error))
    }
    if (handle.latencyMs > 0) setTimeout(respond, handle.latencyMs)
    else respond()
  })
  server.on('connection', socket => {
    counts.connected()
    socket.on('close', () => counts.connections--)
  })

  /** For another process: what the handle offers to this one. */
  function control(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (path === '/-/stats') response.end(JSON.stringify(counts.stats()))
    else if (path === '/-/reset' && request.method === 'POST') {
      counts.reset()
      response.end()
    } else if (path === '/-/release' && request.method === 'POST')
      response.end(JSON.stringify(release(request.url)))
    else response.writeHead(404).end()
  }

  /** `?count=N`: a new version for N projects, spread over the whole index. */
  function release(url = ''): number {
    const count = Number(new URLSearchParams(url.slice(url.indexOf('?'))).get('count') ?? 1)
    const names = [...index.listing()].map(({ name }) => name)
    for (let at = 0; at < count; at++) index.release(names[Math.floor((at * names.length) / count)] as string)
    return count
  }

  function listen(on: number): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(on, '127.0.0.1', 4096, () => {
        server.off('error', reject)
        resolve()
      })
    })
  }

  function stop(): Promise<void> {
    return new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  await listen(port)
  const { port: bound } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${bound}`
  answers.origin = origin
  const handle: IndexServer = {
    origin,
    indexUrl: `${origin}/simple/`,
    index,
    fault: fault => faults.add(fault),
    chaos: chaos => faults.addChaos(chaos),
    clearFaults: () => faults.clear(),
    route: (path, route) => void routes.set(path, route),
    stats: () => counts.stats(),
    requests: match => counts.requests(match),
    reset: () => counts.reset(),
    latencyMs,
    down: stop,
    up: () => listen(bound),
    close: stop
  }
  return handle
}

function routeAnswer({ body = '', status = 200, headers = {} }: Exclude<Route, (...args: never) => void>) {
  const answer = plain(status, '')
  const bytes = Buffer.from(body)
  const type = headers['content-type'] ?? 'application/json'
  return {
    ...answer,
    body: bytes,
    headers: { ...headers, 'content-type': type, 'content-length': bytes.length }
  }
}
