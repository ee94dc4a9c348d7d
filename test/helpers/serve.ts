/** Serves a synced repository, and asks as a client does that hides nothing. */
import { type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { createServer, type ServerOptions } from '../../lib/serve/server.js'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  /** Whether the answer came to its end as its headers promised. */
  readonly complete: boolean
}

/** Asks with exactly these headers; follows nothing, decodes nothing. `path` goes out as it is. */
export function ask(
  origin: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET'
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const sent = request({ hostname, port, path, method, headers, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      // A body that is cut off is an error here and no error of the request.
      response.on('error', () => {})
      response.on('close', () => {
        const body = Buffer.concat(chunks)
        const { statusCode: status = 0, complete } = response
        resolve({ status, headers: response.headers, body, text: body.toString(), complete })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

export interface Served {
  readonly server: FastifyInstance
  readonly origin: string
  /** What it told its log. */
  readonly log: string[]
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>
  head(path: string, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>
  /** The page of a project, as JSON. */
  page(project: string, root?: string): Promise<Page>
}

export interface Page {
  readonly name: string
  readonly versions: readonly string[]
  readonly files: readonly ({ readonly filename: string; readonly url: string } & Record<string, unknown>)[]
  readonly [key: string]: unknown
}

export const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

/** Serves what a test has synced, until it ends. */
export async function serveSetup(
  t: Test,
  { catalog, store }: Pick<ServerOptions, 'catalog' | 'store'>,
  options: ServerOptions = {}
): Promise<Served> {
  const log: string[] = []
  const server = await createServer({
    ...{ catalog, store, minTimeout: 1, maxTimeout: 2 },
    log: line => log.push(line),
    ...options
  })
  t.teardown(() => server.close())
  await server.listen({ port: 0 })
  const origin = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`
  const get: Served['get'] = (path, headers) => ask(origin, path, headers)
  return {
    ...{ server, origin, log, get },
    head: (path, headers) => ask(origin, path, headers, 'HEAD'),
    page: async (project, root = '') => {
      const { text } = await get(`${root}/simple/${project}/`, { accept: JSON_TYPE })
      return JSON.parse(text) as Page
    }
  }
}

/** The path of a URL in the page of a project. */
export function pathOf(url: string, project: string, root = ''): string {
  return new URL(url, `http://x${root}/simple/${project}/`).pathname
}
