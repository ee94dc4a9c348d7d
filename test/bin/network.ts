/** Proxies of the environment, credentials of the URL and of netrc, and that nobody sees them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cli } from '../helpers/cli.js'
import { indexServer } from '../helpers/index-server.js'
import { httpProxy } from '../helpers/proxy.js'

t.test('a sync goes through the proxy of the environment, with the credentials of its URL', async t => {
  const server = await indexServer(t, { projects: 1, files: 2, record: true })
  const proxy = await httpProxy(t)
  const folder = t.testdir()
  t.teardown(() => {
    delete process.env.http_proxy
  })
  process.env.http_proxy = proxy.url
  const indexUrl = server.indexUrl.replace('//', '//somebody:s3cr3t@')
  const { status, stdout, stderr } = await cli(
    ['sync', '--index-url', indexUrl, '--policy', 'immediate', '--prereleases', '--json'],
    folder
  )
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), { packages: { added: 2 }, files: { downloaded: 2 } })
  t.equal(proxy.targets.length, 4, 'the listing, one document, two files')
  const expected = `Basic ${Buffer.from('somebody:s3cr3t').toString('base64')}`
  for (const { headers } of server.requests()) t.equal(headers.authorization, expected)
  t.notMatch(stdout + stderr, 's3cr3t')
  for (const name of readdirSync(folder).filter(name => name.startsWith('millrace.db'))) {
    t.notOk(readFileSync(join(folder, name)).includes('s3cr3t'), name)
  }
})

t.test('a token and netrc', async t => {
  const server = await indexServer(t, { projects: 1, files: 1, record: true })
  const folder = t.testdir({ netrc: 'machine 127.0.0.1 login me password pa55' })
  t.teardown(() => {
    delete process.env.NETRC
    delete process.env.MILLRACE_TOKEN
  })
  process.env.NETRC = join(folder, 'netrc')
  t.equal((await cli(['sync', '--index-url', server.indexUrl], folder)).status, 0)
  t.match(server.requests()[0]?.headers.authorization, /^Basic /)
  process.env.MILLRACE_TOKEN = 't0k3n'
  server.reset()
  t.equal((await cli(['sync', '--index-url', server.indexUrl], folder)).status, 0)
  t.equal(server.requests()[0]?.headers.authorization, 'Bearer t0k3n')
})

t.test('a file of certificates that is not there is wrong usage', async t => {
  const { status, lines } = await cli(['sync', '--ca', 'nowhere.pem'], t.testdir())
  t.equal(status, 2)
  t.match(lines, [/nowhere\.pem.*ERR_MILLRACE_OPTION/])
})
