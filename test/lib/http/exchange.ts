import { getEventListeners, once } from 'node:events'
import { setImmediate as immediate } from 'node:timers/promises'
import t from 'tap'
import type { Dispatcher } from 'undici'
import { type Answer, type ExchangeOptions, exchange, type Sink } from '../../../lib/http/exchange.js'
import { ownAgent, plainServer, settled, until } from '../../helpers/http.js'

function options(dispatcher: Dispatcher, changes: Partial<ExchangeOptions> = {}): ExchangeOptions {
  return { dispatcher, headers: {}, headersTimeout: 10_000, bodyTimeout: 10_000, ...changes }
}

class Collect implements Sink {
  readonly chunks: Buffer[] = []
  destroyed = false
  write(chunk: Buffer): boolean {
    this.chunks.push(chunk)
    return true
  }
  async drained(): Promise<void> {}
  end(): Promise<void> | void {}
  destroy(): void {
    this.destroyed = true
  }
}

const never = new AbortController().signal

t.test('status, headers and the whole body', async t => {
  const server = await plainServer(t, (request, response) => {
    response.writeHead(203, {
      'x-asked': `${request.method} ${request.url} ${request.headers['x-mine']}`,
      'set-cookie': ['a', 'b']
    })
    response.write('one ')
    setImmediate(() => response.end('two'))
  })
  const sink = new Collect()
  const url = new URL('/path?query=1#fragment', server.origin)
  const dispatcher = ownAgent(t)
  const answer = await exchange(url, options(dispatcher, { headers: { 'x-mine': 'yes' } }), () => sink, never)
  t.match(answer, { status: 203, headers: { 'x-asked': 'GET /path?query=1 yes', 'set-cookie': ['a', 'b'] } })
  t.equal(Buffer.concat(sink.chunks).toString(), 'one two')
  t.equal(sink.destroyed, false)
})

t.test('informational answers come before the real one', async t => {
  const server = await plainServer(t, (_request, response) => {
    response.writeEarlyHints({ link: '</x>; rel=preload' })
    response.writeProcessing()
    response.end('x')
  })
  const seen: number[] = []
  const accept = (status: number) => {
    seen.push(status)
    return new Collect()
  }
  await exchange(new URL(server.origin), options(ownAgent(t)), accept, never)
  t.strictSame(seen, [200])
})

t.test('a body that is of no interest', async t => {
  const none = () => undefined
  t.test('is read where it is short, and the connection used again', async t => {
    const server = await plainServer(t, (_request, response) =>
      response.writeHead(404).end('x'.repeat(60_000))
    )
    const dispatcher = ownAgent(t, { connections: 1 })
    for (let at = 0; at < 3; at++)
      t.equal((await exchange(new URL(server.origin), options(dispatcher), none, never)).status, 404)
    t.equal(new Set(server.requests.map(({ socket }) => socket.remotePort)).size, 1)
  })

  t.test('is left where it is long, whether or not that is said', async t => {
    for (const headers of [{ 'content-length': 10_000_000 }, {}]) {
      let sent = 0
      const server = await plainServer(t, (_request, response) => {
        response.writeHead(404, headers)
        // As a server that has all the time: a chunk a turn.
        const send = () => {
          if (response.destroyed) return
          response.write(Buffer.alloc(16_000))
          sent += 16_000
          setImmediate(send)
        }
        send()
      })
      const dispatcher = ownAgent(t)
      t.equal((await exchange(new URL(server.origin), options(dispatcher), none, never)).status, 404)
      await until(() => server.connections === 0)
      t.ok(sent < 3_000_000, `${sent} sent`)
    }
  })

  t.test('is left where it drips', async t => {
    let dripped = 0
    const server = await plainServer(t, (_request, response) => {
      response.writeHead(404)
      const drip = () => {
        if (response.destroyed) return
        response.write('x')
        dripped++
        setImmediate(drip)
      }
      drip()
    })
    let now = 0
    t.intercept(performance, 'now', { value: () => now })
    const dispatcher = ownAgent(t)
    const done = exchange(new URL(server.origin), options(dispatcher), none, never)
    await until(() => dripped > 50)
    now = 4999
    await settled()
    now = 5001
    t.equal((await done).status, 404)
  })

  t.test('a 304 has none, whatever length it tells', async t => {
    const server = await plainServer(t, (_request, response) =>
      response.writeHead(304, { 'content-length': 10_000_000 }).end()
    )
    const dispatcher = ownAgent(t)
    for (let at = 0; at < 2; at++)
      t.equal((await exchange(new URL(server.origin), options(dispatcher), none, never)).status, 304)
  })
})

t.test('a sink that is full holds the server back', async t => {
  let sent = 0
  const server = await plainServer(t, (_request, response) => {
    const send = () => {
      while (sent < 50_000_000 && !response.destroyed) {
        sent += 100_000
        if (!response.write(Buffer.alloc(100_000))) return response.once('drain', send)
      }
      return response.end()
    }
    send()
  })
  let release = () => {}
  let received = 0
  class Slow extends Collect {
    override write(chunk: Buffer): boolean {
      received += chunk.length
      return false
    }
    override drained(): Promise<void> {
      return new Promise(resolve => {
        release = resolve
      })
    }
  }
  const done = exchange(new URL(server.origin), options(ownAgent(t)), () => new Slow(), never)
  await until(() => received > 0)
  await settled(500)
  t.ok(received < 1_000_000, `${received} taken while it waits`)
  t.ok(sent < 20_000_000, `${sent} sent`)
  const goOn = setInterval(() => release(), 0)
  await done
  clearInterval(goOn)
  t.equal(received, 50_000_000)
})

t.test('what accept and the sink throw ends the request', async t => {
  const failure = new Error('mine')
  const fail = (): never => {
    throw failure
  }
  class Failing extends Collect {
    constructor(readonly where: string) {
      super()
    }
    override write(chunk: Buffer): boolean {
      if (this.where === 'write') fail()
      super.write(chunk)
      return this.where !== 'drained'
    }
    override async drained(): Promise<void> {
      await immediate()
      if (this.where === 'drained') fail()
    }
    override end(): Promise<void> | void {
      if (this.where === 'end') fail()
      if (this.where === 'end, later') return immediate().then(fail)
    }
  }
  const server = await plainServer(t, (_request, response) => response.end('x'.repeat(100_000)))
  const dispatcher = ownAgent(t)
  await t.rejects(exchange(new URL(server.origin), options(dispatcher), fail, never), failure)
  for (const where of ['write', 'drained', 'end', 'end, later']) {
    const sink = new Failing(where)
    await t.rejects(
      exchange(new URL(server.origin), options(dispatcher), () => sink, never),
      failure,
      where
    )
    t.equal(sink.destroyed, true)
  }
  t.equal(getEventListeners(never, 'abort').length, 0)
  await dispatcher.close()
  await until(() => server.connections === 0)
})

t.test('undici and the system fail as they are', async t => {
  const server = await plainServer(t, (request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': 10 })
      response.write('x')
      setImmediate(() => response.destroy())
    }
    if (request.url === '/stalled') response.writeHead(200).write('x')
  })
  const dispatcher = ownAgent(t)
  const get = (url: string, changes: Partial<ExchangeOptions> = {}, sink = new Collect()): Promise<Answer> =>
    exchange(new URL(url), options(dispatcher, changes), () => sink, never)
  const cut = new Collect()
  await t.rejects(get(`${server.origin}/cut`, {}, cut), { code: 'UND_ERR_SOCKET' })
  t.equal(cut.destroyed, true)
  await t.rejects(get(server.origin, { headersTimeout: 20 }), { code: 'UND_ERR_HEADERS_TIMEOUT' })
  await t.rejects(get(`${server.origin}/stalled`, { bodyTimeout: 20 }), { code: 'UND_ERR_BODY_TIMEOUT' })
  await t.rejects(get('http://127.0.0.1:1/'), { code: 'ECONNREFUSED' })
  await t.rejects(get(server.origin, { headers: { 'x y': 'z' } }), { code: 'UND_ERR_INVALID_ARG' })
  await dispatcher.close()
  await t.rejects(get(server.origin), { code: /UND_ERR_(CLOSED|DESTROYED)/ })
  t.equal(getEventListeners(never, 'abort').length, 0)
})

t.test('abort', async t => {
  const reason = new Error('enough')
  const server = await plainServer(t, (request, response) => {
    if (request.url === '/body') response.writeHead(200).write('x')
  })

  t.test('before it began', async t => {
    const sink = new Collect()
    await t.rejects(
      exchange(new URL(server.origin), options(ownAgent(t)), () => sink, AbortSignal.abort(reason)),
      reason
    )
  })

  t.test('before the headers, and within the body', async t => {
    for (const path of ['/', '/body']) {
      const controller = new AbortController()
      const { length } = server.requests
      const sink = new Collect()
      const done = exchange(new URL(path, server.origin), options(ownAgent(t)), () => sink, controller.signal)
      await until(() => server.requests.length > length && (path === '/' || sink.chunks.length > 0))
      controller.abort(reason)
      await t.rejects(done, reason)
      t.equal(sink.destroyed, path === '/body')
      t.equal(getEventListeners(controller.signal, 'abort').length, 0)
      await until(() => server.connections === 0)
    }
  })

  t.test('while it waits for a connection: at once, and it is never sent', async t => {
    const dispatcher = ownAgent(t, { connections: 1 })
    const first = new AbortController()
    const second = new AbortController()
    const { length } = server.requests
    const holding = exchange(
      new URL('/first', server.origin),
      options(dispatcher),
      () => new Collect(),
      first.signal
    )
    await until(() => server.requests.length === length + 1)
    const waiting = exchange(
      new URL('/second', server.origin),
      options(dispatcher),
      () => new Collect(),
      second.signal
    )
    second.abort(reason)
    await t.rejects(waiting, reason)
    first.abort(reason)
    await t.rejects(holding, reason)
    await settled()
    t.equal(server.requests.length, length + 1)
  })

  t.test('a reason that is no error', async t => {
    const controller = new AbortController()
    const { length } = server.requests
    const done = exchange(new URL(server.origin), options(ownAgent(t)), () => undefined, controller.signal)
    await until(() => server.requests.length > length)
    controller.abort('enough')
    t.equal(await done.catch(error => error), 'enough')
  })
})

t.test('the handler of a request ends with it', async t => {
  const server = await plainServer(t, (_request, response) => response.end('x'))
  const dispatcher = ownAgent(t)
  const { signal } = new AbortController()
  await Promise.all(
    Array.from({ length: 100 }, () =>
      exchange(new URL(server.origin), options(dispatcher), () => new Collect(), signal)
    )
  )
  t.equal(getEventListeners(signal, 'abort').length, 0)
  const closed = once(dispatcher, 'disconnect')
  await dispatcher.close()
  await closed
})
