/**
 * A small package index for tests, benchmarks and the demo: speaks PEP 691 JSON, PEP 503 HTML and
 * `/pypi/NAME/json`, counts what clients do to it, and fails when told to.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, type AnswerOptions, Answers, kindOf } from './answer.js'
import { Counts, type IndexStats, type RecordedRequest } from './counts.js'
import { type Chaos, disturb, type Fault, type FaultForm, Faults } from './faults.js'
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
  /** Of all answers to one client together, by what it says in `x-client`. @defaultValue as fast as it goes */
  readonly clientBytesPerSecond?: number | undefined
  /** Keeps every request (100,000 at most) for `requests()`. @defaultValue true */
  readonly record?: boolean | undefined
  /** @defaultValue 0, which takes a free one */
  readonly port?: number | undefined
}

/** What a path of a test's own answers with. */
export interface RouteAnswer {
  readonly body?: Buffer | string | undefined
  /** @defaultValue 200 */
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export type Route = RouteAnswer | ((request: IncomingMessage, response: ServerResponse) => void)

/** A running index. */
export class IndexServer {
  /** Changes what it serves. */
  readonly index: Overlay
  /** Ms from the arrival of a request to its answer. */
  latencyMs: number
  readonly #answers: Answers
  readonly #counts: Counts
  readonly #faults = new Faults()
  readonly #routes = new Map<string, Route>()
  readonly #bandwidth: Bandwidth | undefined
  readonly #clientBytesPerSecond: number | undefined
  readonly #clients = new Map<string, Bandwidth>()
  readonly #server: Server
  #port = 0

  /** Use {@link startIndexServer}. @internal */
  constructor(options: IndexServerOptions) {
    const { sources = [], huge, latencyMs = 0, bytesPerSecond, record = true } = options
    this.index = new Overlay(new JoinedSource([...sources, new MadeUpSource(options, huge)]))
    this.latencyMs = latencyMs
    this.#answers = new Answers(this.index, options)
    this.#counts = new Counts(record)
    this.#clientBytesPerSecond = options.clientBytesPerSecond
    this.#bandwidth = bytesPerSecond === undefined ? undefined : new Bandwidth(bytesPerSecond)
    // Node's own limits would end a stalled or slow answer of ours.
    this.#server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 })
    this.#server.on('request', (request, response) => this.#receive(request, response))
    this.#server.on('connection', socket => {
      this.#counts.connected()
      socket.on('close', () => this.#counts.connections--)
    })
  }

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** `ORIGIN/simple/` */
  get indexUrl(): string {
    return `${this.origin}/simple/`
  }

  /** Adds a fault; gives a function that takes it away. */
  fault(fault: Fault): () => void {
    return this.#faults.add(fault)
  }

  /** Adds faults at random; gives a function that takes them away. */
  chaos(chaos: Chaos): () => void {
    return this.#faults.addChaos(chaos)
  }

  /** Takes all faults away, and counts the attempts of each URL anew. */
  clearFaults(): void {
    this.#faults.clear()
  }

  /** Answers a path in its own way; it is counted and delayed like all others, and disturbed unless it is a function. */
  route(path: string, route: Route): void {
    this.#routes.set(path, route)
  }

  stats(): IndexStats {
    return this.#counts.stats()
  }

  /** The requests whose path and query contain a text or match, in order of arrival. */
  requests(match?: string | RegExp): RecordedRequest[] {
    return this.#counts.requests(match)
  }

  /** Counts anew. */
  reset(): void {
    this.#counts.reset()
  }

  /** Publishes a new version of so many projects, spread over the whole index; the same ones each time. */
  release(count: number): void {
    const names = [...this.index.listing()].map(({ name }) => name).sort()
    for (let at = 0; at < count; at++) {
      this.index.release(names[Math.floor((at * names.length) / count)] as string)
    }
  }

  /** Listens, on the port it had before if there was one. Refused connections end here. */
  up(port = this.#port): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', backlog, () => {
        this.#server.off('error', reject)
        this.#port = (this.#server.address() as AddressInfo).port
        this.#answers.origin = this.origin
        resolve()
      })
    })
  }

  /** Refuses connections, and drops those there are, until `up()`. */
  down(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** Drops all connections and stops listening. */
  close(): Promise<void> {
    return this.down()
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/' } = request
    const query = url.indexOf('?')
    const path = query < 0 ? url : url.slice(0, query)
    if (path.startsWith('/-/')) {
      this.#control(request, response, path, url)
      return
    }
    const record = this.#counts.begin(method, url, kindOf(path), request.headers)
    let open = true
    const end = () => {
      if (open) this.#counts.end(record)
      open = false
    }
    // `finish` comes before the client can have read the end and asked again; `close` alone if it went away.
    response.on('finish', end).on('close', end)
    const fault = typeof this.#routes.get(path) === 'function' ? undefined : this.#faults.next(url)
    record.fault = fault?.kind
    const respond = () => this.#respond(request, response, path, record, fault)
    if (this.latencyMs > 0) setTimeout(respond, this.latencyMs)
    else respond()
  }

  #respond(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    record: RecordedRequest,
    fault: FaultForm | undefined
  ): void {
    if (response.destroyed) return
    const route = this.#routes.get(path)
    if (typeof route === 'function') {
      response.prependListener('finish', () => {
        record.status = response.statusCode
      })
      route(request, response)
      return
    }
    const answer =
      route !== undefined ? routeAnswer(route) : this.#answers.to(path, record.kind, request.headers)
    const delivery = fault === undefined ? { answer } : disturb(answer, fault, record.url)
    send(request, response, delivery, record, this.#bandwidthOf(request)).catch(error =>
      response.destroy(error)
    )
  }

  #bandwidthOf({ headers }: IncomingMessage): Bandwidth | undefined {
    if (this.#clientBytesPerSecond === undefined) return this.#bandwidth
    const client = String(headers['x-client'])
    const bandwidth = this.#clients.get(client) ?? new Bandwidth(this.#clientBytesPerSecond)
    this.#clients.set(client, bandwidth)
    return bandwidth
  }

  /** For another process: a part of what this object offers to its own. Not counted. */
  #control(request: IncomingMessage, response: ServerResponse, path: string, url: string): void {
    const post = request.method === 'POST'
    let body: string | undefined
    if (path === '/-/stats') {
      body = JSON.stringify(this.stats())
    } else if (path === '/-/reset' && post) {
      this.reset()
      body = '{}'
    } else if (path === '/-/release' && post) {
      this.release(Number(new URL(url, this.origin).searchParams.get('count')))
      body = '{}'
    }
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body)
  }
}

/** Connections that may wait to be taken; Node's 511 are too few for a client that opens a thousand at once. */
const backlog = 4096

/** Starts an index on 127.0.0.1. */
export async function startIndexServer(options: IndexServerOptions = {}): Promise<IndexServer> {
  const server = new IndexServer(options)
  await server.up(options.port ?? 0)
  return server
}

function routeAnswer({ body = '', status = 200, headers = {} }: RouteAnswer): Answer {
  const bytes = Buffer.from(body)
  const type = headers['content-type'] ?? 'application/json'
  return {
    status,
    body: bytes,
    headers: { ...headers, 'content-type': type, 'content-length': bytes.length }
  }
}
