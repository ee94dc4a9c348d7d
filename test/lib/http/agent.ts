import { readFileSync, writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Dispatcher } from 'undici'
import {
  createDispatcher,
  type DispatcherOptions,
  sharedDispatcher,
  USER_AGENT
} from '../../../lib/http/agent.js'
import { download } from '../../../lib/http/download.js'
import { EXPIRED_CERT, EXPIRED_KEY } from '../../fixtures/expired-certificate.js'
import { directoryOf, downloadSettings, plainServer, until } from '../../helpers/http.js'
import { httpProxy, socksProxy } from '../../helpers/proxy.js'
import { CA, CLIENT_CERT, CLIENT_KEY, tlsServer } from '../../helpers/tls.js'

const never = new AbortController().signal

async function text(t: Test, url: string, dispatcher: Dispatcher, more = {}): Promise<string> {
  const { body } = await download({ url }, downloadSettings(t, { dispatcher, ...more }), never)
  return String(await body.buffer())
}

function own(t: Test, options: DispatcherOptions = {}): Dispatcher {
  const dispatcher = createDispatcher(options)
  t.teardown(() => dispatcher.destroy())
  return dispatcher
}

/** Sets variables of the environment for a test; `undefined` takes one away. */
function environment(t: Test, variables: Record<string, string | undefined>): void {
  const before = Object.keys(variables).map(name => [name, process.env[name]] as const)
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  for (const [name, value] of Object.entries(variables)) set(name, value)
  t.teardown(() => {
    for (const [name, value] of before) set(name, value)
  })
}

const NO_PROXIES = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [
    [name, undefined],
    [name.toUpperCase(), undefined]
  ])
)

t.test('one dispatcher for the process, and one that stays in public', async t => {
  t.equal(sharedDispatcher(true), sharedDispatcher(true))
  t.equal(sharedDispatcher(false), sharedDispatcher(false))
  t.not(sharedDispatcher(true), sharedDispatcher(false))
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.equal(USER_AGENT, `millrace/${version}`)
})

t.test('connections to an origin', async t => {
  let inFlight = 0
  let peak = 0
  const server = await plainServer(t, (_request, response) => {
    peak = Math.max(peak, ++inFlight)
    setTimeout(() => {
      inFlight--
      response.end()
    }, 5)
  })
  const dispatcher = own(t, { connections: 2 })
  await Promise.all(Array.from({ length: 10 }, () => text(t, server.origin, dispatcher)))
  t.equal(peak, 2)
  await dispatcher.close()
  await until(() => server.connections === 0)
})

t.test('a name that leads to a private address, where those are not allowed', async t => {
  const server = await plainServer(t, (_request, response) => response.end())
  const url = server.origin.replace('127.0.0.1', 'localhost')
  // The URL itself is let through here, so that the name is looked up.
  await t.rejects(text(t, url, own(t, { allowPrivate: false })), {
    code: 'ERR_MILLRACE_URL',
    message: /private address/
  })
  t.equal(server.requests.length, 0)
  await text(t, url, own(t, { allowPrivate: true }))
})

t.test('certificates', async t => {
  const server = await tlsServer(t)
  const guarded = await tlsServer(t, { requestCert: true, rejectUnauthorized: true })
  // A server of TLS 1.3 refuses only after the handshake; one of 1.2 within.
  const guarded12 = await tlsServer(t, { requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' })
  const expired = await tlsServer(t, { cert: EXPIRED_CERT, key: EXPIRED_KEY })
  const failure = { code: 'ERR_MILLRACE_NETWORK', attempts: 1 }

  t.test('of an authority that Node does not know', async t => {
    await t.rejects(text(t, server.origin, own(t)), {
      ...failure,
      cause: { code: /UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT_LOCALLY)|SELF_SIGNED/ }
    })
    t.equal(await text(t, server.origin, own(t, { ca: CA })), 'nobody')
  })

  t.test('for another host', async t => {
    const dispatcher = own(t, { ca: CA })
    const elsewhere = server.origin.replace('localhost', '127.0.0.2')
    await t.rejects(text(t, elsewhere, dispatcher), { code: 'ERR_MILLRACE_NETWORK' })
  })

  t.test('past its day', async t => {
    const ca = join(t.testdir({ 'ca.pem': EXPIRED_CERT }), 'ca.pem')
    await t.rejects(text(t, expired.origin, own(t, { ca })), {
      ...failure,
      cause: { code: 'CERT_HAS_EXPIRED' }
    })
  })

  t.test('of the client', async t => {
    const both = join(directoryOf(t), 'both.pem')
    writeFileSync(both, readFileSync(CLIENT_CERT, 'utf8') + readFileSync(CLIENT_KEY, 'utf8'))
    for (const { origin } of [guarded, guarded12]) {
      t.equal(
        await text(t, origin, own(t, { ca: CA, clientCert: CLIENT_CERT, clientKey: CLIENT_KEY })),
        'client'
      )
      t.equal(await text(t, origin, own(t, { ca: CA, clientCert: both })), 'client')
      await t.rejects(text(t, origin, own(t, { ca: CA })), { code: 'ERR_MILLRACE_NETWORK' })
    }
  })

  t.test('files that are not what they should be', async t => {
    const folder = t.testdir({
      text: 'no certificate',
      broken: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    })
    const cases: [DispatcherOptions, string][] = [
      [{ ca: join(folder, 'none') }, 'ca'],
      [{ ca: join(folder, 'text') }, 'ca'],
      [{ ca: join(folder, 'broken') }, 'ca'],
      [{ clientCert: join(folder, 'none') }, 'clientCert'],
      [{ clientKey: CLIENT_KEY }, 'clientKey'],
      [{ clientCert: CLIENT_CERT }, 'clientCert and clientKey'],
      [
        { clientCert: CLIENT_CERT, clientKey: resolve('test/fixtures/tls/server-key.pem') },
        'clientCert and clientKey'
      ]
    ]
    const key = readFileSync(CLIENT_KEY, 'utf8').split('\n')[1] as string
    for (const [options, option] of cases) {
      const error = await Promise.resolve()
        .then(() => createDispatcher(options))
        .catch(error => error)
      t.match(error, { code: 'ERR_MILLRACE_OPTION', option })
      t.notMatch(inspect(error, { depth: 9 }), key)
    }
  })
})

t.test('proxies', async t => {
  environment(t, NO_PROXIES)
  const plain = await plainServer(t, (_request, response) => response.end('plain'))
  const tls = await tlsServer(t)
  const hosts = { plain: new URL(plain.origin).host, tls: new URL(tls.origin).host }

  t.test('a tunnel for https, the whole URL for http', async t => {
    const proxy = await httpProxy(t)
    const dispatcher = own(t, { proxy: proxy.url, ca: CA })
    t.equal(await text(t, tls.origin, dispatcher), 'nobody')
    t.equal(await text(t, `${plain.origin}/path?query`, dispatcher), 'plain')
    t.strictSame(proxy.targets, [hosts.tls, `${plain.origin}/path?query`])
  })

  t.test('many at once, and nothing left when it is closed', async t => {
    const proxy = await httpProxy(t)
    const dispatcher = own(t, { proxy: new URL(proxy.url), ca: CA })
    const urls = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? plain.origin : tls.origin))
    const found = await Promise.all(urls.map(url => text(t, url, dispatcher)))
    t.equal(found.filter(body => body === 'plain').length, 20)
    await dispatcher.close()
    await until(() => plain.connections === 0 && tls.connections === 0)
  })

  t.test('credentials are for the proxy alone', async t => {
    const proxy = await httpProxy(t, 'me:s3cr@t')
    const dispatcher = own(t, { proxy: proxy.url.replace('//', '//me:s3cr%40t@'), ca: CA })
    t.equal(await text(t, tls.origin, dispatcher), 'nobody')
    t.equal(await text(t, plain.origin, dispatcher), 'plain')
    t.strictSame(proxy.credentials, ['me:s3cr@t', 'me:s3cr@t'])
    t.notMatch(plain.requests.at(-1)?.headers, { 'proxy-authorization': /./ })
  })

  t.test('a proxy that refuses, and one that is not there', async t => {
    const proxy = await httpProxy(t, 'me:right')
    const password = 's3cret-word'
    for (const url of [proxy.url, 'http://127.0.0.1:1']) {
      const dispatcher = own(t, { proxy: url.replace('//', `//me:${password}@`), ca: CA })
      for (const target of [tls.origin, plain.origin]) {
        const error = await text(t, target, dispatcher).catch(error => error)
        t.match(error, { code: 'ERR_MILLRACE_NETWORK' })
        const shown = inspect(error, { depth: 9 }) + JSON.stringify(error)
        t.notMatch(shown, password)
        t.notMatch(shown, Buffer.from(`me:${password}`).toString('base64'))
      }
    }
  })

  t.test('by the environment', async t => {
    const forHttp = await httpProxy(t)
    const forHttps = await httpProxy(t)
    environment(t, { ...NO_PROXIES, HTTP_PROXY: forHttp.url, https_proxy: forHttps.url })
    const dispatcher = own(t, { proxy: true, ca: CA })
    await text(t, plain.origin, dispatcher)
    await text(t, tls.origin, dispatcher)
    t.strictSame([forHttp.targets, forHttps.targets], [[`${plain.origin}/`], [hosts.tls]])

    process.env.NO_PROXY = 'example.org, localhost'
    await text(t, tls.origin, dispatcher)
    await text(t, plain.origin, dispatcher)
    t.strictSame([forHttp.targets.length, forHttps.targets.length], [2, 1])
    process.env.NO_PROXY = '*'
    await text(t, plain.origin, dispatcher)
    t.equal(forHttp.targets.length, 2)

    environment(t, { ...NO_PROXIES, ALL_PROXY: forHttp.url })
    const all = own(t, { proxy: true, ca: CA })
    await text(t, tls.origin, all)
    t.equal(forHttp.targets.at(-1), hosts.tls)

    environment(t, { ...NO_PROXIES, HTTP_PROXY: '' })
    t.equal(await text(t, plain.origin, own(t, { proxy: true })), 'plain')
    t.equal(await text(t, plain.origin, own(t, { proxy: false })), 'plain')
    t.equal(forHttp.targets.length, 3)
  })

  t.test('SOCKS5', async t => {
    for (const required of [undefined, 'me:s3cret']) {
      const proxy = await socksProxy(t, required)
      const url = required === undefined ? proxy.url : proxy.url.replace('//', `//${required}@`)
      const dispatcher = own(t, { proxy: url, ca: CA })
      t.equal(await text(t, plain.origin, dispatcher), 'plain')
      t.equal(await text(t, tls.origin, dispatcher), 'nobody')
      t.strictSame(proxy.targets, [hosts.plain, hosts.tls])
      t.strictSame(proxy.credentials, required === undefined ? [] : [required, required])
      await dispatcher.close()
    }
    const proxy = await socksProxy(t, 'me:right')
    const dispatcher = own(t, { proxy: proxy.url.replace('//', '//me:s3cret-word@') })
    const error = await text(t, plain.origin, dispatcher).catch(error => error)
    t.match(error, { code: 'ERR_MILLRACE_NETWORK' })
    t.notMatch(inspect(error, { depth: 9 }), 's3cret-word')
  })

  t.test('one that is private is used, though its targets may not be', async t => {
    const proxy = await httpProxy(t)
    const dispatcher = own(t, { proxy: proxy.url, allowPrivate: false, ca: CA })
    t.equal(await text(t, tls.origin, dispatcher), 'nobody')
    await t.rejects(text(t, tls.origin, dispatcher, { allowPrivate: false }), {
      code: 'ERR_MILLRACE_URL',
      attempts: 0
    })
  })

  t.test('what is none', async t => {
    for (const proxy of ['ftp://me:s3cret-word@proxy.example/', 'me:s3cret-word@proxy:3128', 'proxy'])
      t.throws(() => createDispatcher({ proxy }), {
        code: 'ERR_MILLRACE_OPTION',
        option: 'proxy',
        message: /^(?!.*s3cret-word)/
      })
    environment(t, { ...NO_PROXIES, HTTPS_PROXY: 'proxy.example:3128' })
    t.throws(() => createDispatcher({ proxy: true }), { code: 'ERR_MILLRACE_OPTION', option: 'proxy' })
  })
})

t.test('a connection that is not there in time', async t => {
  // Accepts nothing: the queue of one is full.
  const server = createServer()
  const sockets: { destroy(): void }[] = []
  server.on('connection', socket => sockets.push(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // TLS needs an answer to connect, and none comes.
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const dispatcher = own(t, { connectTimeout: 50 })
  await t.rejects(
    text(t, url, dispatcher, {
      retry: { maxRetries: 0, minTimeout: 1, maxTimeout: 1, timeoutFactor: 1, retryAfter: true }
    }),
    {
      code: 'ERR_MILLRACE_TIMEOUT',
      message: /no connection in time/,
      cause: { code: 'UND_ERR_CONNECT_TIMEOUT' }
    }
  )
})

t.test('HTTP/2, where both can', async t => {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: readFileSync('test/fixtures/tls/server.pem'),
    key: readFileSync('test/fixtures/tls/server-key.pem')
  })
  server.on('request', (request, response) => response.end(request.httpVersion))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`
  const two = own(t, { ca: CA, allowH2: true })
  const one = own(t, { ca: CA })
  t.equal(await text(t, url, two), '2.0')
  t.equal(await text(t, url, one), '1.1')
  await Promise.all([one.close(), two.close()])
})

t.test('options', async t => {
  for (const [option, value] of Object.entries({ connections: 0, connectTimeout: -1 }))
    t.throws(() => createDispatcher({ [option]: value }), { code: 'ERR_MILLRACE_OPTION', option })
  const names = [
    'proxy',
    'ca',
    'clientCert',
    'clientKey',
    'allowPrivate',
    'connections',
    'connectTimeout',
    'allowH2'
  ]
  await createDispatcher(Object.fromEntries(names.map(name => [name, undefined]))).close()
})
