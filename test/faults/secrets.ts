/**
 * Syncs that fail in every way, with secrets wherever there can be one: none of them is in the report, in the catalog,
 * in the store, in an error or a warning.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import type { FaultForm } from '../../benchmarks/index-server/faults.js'
import { createDispatcher } from '../../lib/http/agent.js'
import { createAuthorization } from '../../lib/http/credentials.js'
import { sync } from '../../streams/sync.js'
import { plainServer } from '../helpers/http.js'
import { indexServer } from '../helpers/index-server.js'
import { httpProxy } from '../helpers/proxy.js'

const PASSWORD = 'pW-7d1f93'
const TOKEN = 'tK-52c0aa'
const COOKIE = 'cK-90be14'
const PROXY = 'pX-318f6d'
const QUERY = 'qY-c4d2b8'

/** As they are, and as `Authorization` and `Proxy-Authorization` have them. */
const SECRETS = [
  PASSWORD,
  TOKEN,
  COOKIE,
  PROXY,
  QUERY,
  ...[`somebody:${PASSWORD}`, `proxy:${PROXY}`].map(pair => Buffer.from(pair).toString('base64'))
]

const FAULTS: readonly FaultForm[] = [
  { kind: 'reset' },
  { kind: 'reset-body' },
  { kind: 'truncated' },
  { kind: 'corrupted' },
  { kind: 'status', status: 401 },
  { kind: 'status', status: 404 },
  { kind: 'status', status: 503, retryAfter: 0 },
  { kind: 'html' },
  { kind: 'bad-gzip' },
  { kind: 'wrong-encoding', encoding: 'zstd' },
  { kind: 'redirect-loop' },
  { kind: 'redirect', to: `http://somebody:${PASSWORD}@127.0.0.1:1/?key=${QUERY}` },
  { kind: 'redirect', to: `ftp://somebody:${PASSWORD}@127.0.0.1/?key=${QUERY}` },
  { kind: 'redirect', to: `somebody:${PASSWORD}@127.0.0.1?key=${QUERY}` }
]

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
}

for (const policy of ['on-demand', 'immediate'] as const) {
  for (const proxied of [false, true]) {
    t.test(`${policy}${proxied ? ', through a proxy' : ''}`, async t => {
      const folder = t.testdir()
      const server = await indexServer(t, { projects: FAULTS.length + 1, files: 2 })
      const elsewhere = await plainServer(t, (_request, response) => response.writeHead(403).end(QUERY))
      // A project whose files lie elsewhere, at addresses that are signed.
      server.index.add({
        name: 'signed',
        files: ['1.0', '2.0'].map(version => ({
          filename: `signed-${version}.tar.gz`,
          path: `${elsewhere.origin}/signed-${version}.tar.gz?signature=${policy === 'immediate' ? QUERY : ''}`
        }))
      })
      const names = [...server.index.listing()].map(({ name }) => name)
      for (const [at, fault] of FAULTS.entries()) {
        server.fault({ ...fault, match: `/simple/${names[at]}/` })
        // And one file of the project that is whole.
        if (at < 2)
          server.fault({ ...fault, match: new RegExp(`/files/.*${names.at(-2)?.replaceAll('-', '_')}.*`) })
      }
      const proxy = await httpProxy(t, proxied ? `proxy:${PROXY}` : undefined)
      const dispatcher = createDispatcher(
        proxied ? { proxy: proxy.url.replace('//', `//proxy:${PROXY}@`) } : {}
      )
      t.teardown(() => dispatcher.destroy())
      const seen: unknown[] = []
      const onWarning = (warning: unknown) => seen.push(warning)
      process.on('warning', onWarning)
      t.teardown(() => process.off('warning', onWarning))

      for (const authorization of [undefined, createAuthorization({ url: server.origin, token: TOKEN })]) {
        const report = await sync({
          indexUrl: server.indexUrl.replace(
            '//',
            authorization === undefined ? `//somebody:${PASSWORD}@` : '//'
          ),
          catalog: join(folder, 'catalog.db'),
          store: join(folder, 'store'),
          policy,
          prereleases: true,
          headers: { cookie: `session=${COOKIE}` },
          authorization,
          dispatcher,
          maxRetries: 1,
          minTimeout: 1,
          maxTimeout: 2,
          stages: stages => {
            for (const stage of stages) {
              stage.on('skip', (_item, error) => seen.push(error))
              stage.on('retry', (_item, error) => seen.push(error))
              stage.on('drop', (...of) => seen.push(of.at(-1)))
            }
            return stages
          }
        })
        t.ok(report.failures.length >= 10, `${report.failures.length} failures`)
        seen.push(report)
      }
      // What was wrong with the listing ends the run.
      server.fault({
        match: /^\/simple\/(\?|$)/,
        kind: 'redirect',
        to: `http://somebody:${PASSWORD}@127.0.0.1:1/?key=${QUERY}`
      })
      const failed = sync({
        indexUrl: `${server.indexUrl}?key=${QUERY}`,
        catalog: join(folder, 'catalog.db'),
        dispatcher,
        maxRetries: 0,
        headers: { cookie: COOKIE }
      })
      seen.push(await failed.catch(error => error))
      await t.rejects(failed)

      t.ok(
        server.requests().some(({ headers }) => headers.cookie?.includes(COOKIE)),
        'they were sent'
      )
      t.ok(server.requests().some(({ headers }) => headers.authorization?.includes(TOKEN)))
      if (policy === 'immediate') t.ok(elsewhere.requests.some(({ url }) => url?.includes(QUERY)))
      for (const { headers } of elsewhere.requests) t.notMatch(headers.authorization, /./, 'and nowhere else')

      const shown =
        inspect(seen, { depth: 12, maxArrayLength: null, maxStringLength: null }) + JSON.stringify(seen)
      for (const secret of SECRETS) t.notOk(shown.includes(secret), `${secret} is not shown`)
      for (const path of filesUnder(folder)) {
        const bytes = readFileSync(path)
        for (const secret of SECRETS) {
          // The signature of a file's address is part of it.
          if (secret !== QUERY || policy !== 'immediate')
            t.notOk(bytes.includes(secret), `${secret} is not in ${path}`)
        }
      }
    })
  }
}
