import { getEventListeners } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  type Downloadable,
  type DownloadObserver,
  type DownloadSettings,
  download
} from '../../../lib/http/download.js'
import { Origins } from '../../../lib/http/origins.js'
import { retryPolicy } from '../../../lib/http/retry.js'
import { downloadSettings, ownAgent, plainServer, until } from '../../helpers/http.js'

const never = new AbortController().signal

function get(
  t: Test,
  item: Downloadable,
  changes: Partial<DownloadSettings> = {},
  observer?: DownloadObserver
) {
  return download(item, downloadSettings(t, changes), never, observer)
}

/** Answers with the statuses in turn, and from then on with the last. */
async function statuses(t: Test, list: readonly number[], headers: Record<string, string> = {}) {
  let at = 0
  return plainServer(t, (_request, response) => {
    const status = list[Math.min(at++, list.length - 1)] as number
    response.writeHead(status, status === 200 ? {} : headers).end('body')
  })
}

t.test('as many attempts as there are retries, and one', async t => {
  for (const maxRetries of [0, 1, 3, 10]) {
    const server = await statuses(t, [500])
    const retried: [string, number][] = []
    const settings = { retry: retryPolicy({ maxRetries, minTimeout: 1, maxTimeout: 3 }) }
    const onRetry = (error: { code: string }, delayMs: number) => retried.push([error.code, delayMs])
    await t.rejects(get(t, { url: server.origin }, settings, { onRetry }), {
      code: 'ERR_MILLRACE_STATUS',
      statusCode: 500,
      attempts: maxRetries + 1
    })
    t.equal(server.requests.length, maxRetries + 1)
    t.equal(retried.length, maxRetries)
    t.ok(retried.every(([code, delayMs]) => code === 'ERR_MILLRACE_STATUS' && delayMs <= 3))
  }
})

t.test('what comes in the end counts', async t => {
  const server = await statuses(t, [503, 500, 200])
  const { attempts, status } = await get(t, { url: server.origin })
  t.strictSame([attempts, status], [3, 200])
  const gone = await statuses(t, [503, 404])
  await t.rejects(get(t, { url: gone.origin }), { statusCode: 404, attempts: 2 } as never)
})

t.test('the error tells how long it was tried', async t => {
  const server = await statuses(t, [500])
  const retry = retryPolicy({ maxRetries: 1, minTimeout: 40, maxTimeout: 40, retryAfter: false })
  t.intercept(Math, 'random', { value: () => 1 })
  const error = await get(t, { url: server.origin }, { retry }).catch(error => error)
  t.ok(error.durationMs >= 39 && error.durationMs < 5000, `${error.durationMs}`)
})

t.test('Retry-After', async t => {
  const retry = retryPolicy({ maxRetries: 1, minTimeout: 60_000, maxTimeout: 60 })
  for (const [header, least] of [
    ['0', 0],
    ['86400', 60],
    [new Date(Date.now() + 86_400_000).toUTCString(), 60],
    [new Date(0).toUTCString(), 0]
  ] as const) {
    const server = await statuses(t, [503, 200], { 'retry-after': header })
    const delays: number[] = []
    const startedAt = performance.now()
    await get(t, { url: server.origin }, { retry }, { onRetry: (_error, delayMs) => delays.push(delayMs) })
    t.strictSame(delays, [least], header)
    t.ok(performance.now() - startedAt >= least - 2)
  }
})

t.test('429 and 503 hold back the origin, not one request', async t => {
  for (const status of [429, 503]) {
    for (const maxRetries of [0, 1]) {
      const server = await statuses(t, [status, 200], { 'retry-after': '5' })
      const times: number[] = []
      const other = await statuses(t, [200])
      const settings = downloadSettings(t, {
        retry: retryPolicy({ maxRetries, maxTimeout: 80 }),
        origins: new Origins()
      })
      let refused = false
      const onRetry = () => {
        refused = true
      }
      const first = download({ url: server.origin }, settings, never, { onRetry }).catch(error => error)
      await until(() => server.requests.length === 1)
      const startedAt = performance.now()
      if (maxRetries === 0) await first
      else await until(() => refused)
      const rest = Array.from({ length: 5 }, async () => {
        await download({ url: server.origin }, settings, never)
        times.push(performance.now() - startedAt)
      })
      await download({ url: other.origin }, settings, never)
      t.equal(server.requests.length, 1, 'nothing more was asked of it')
      await Promise.all(rest)
      t.ok(
        times.every(time => time > 50),
        `${times}`
      )
      const { attempts } = await first
      t.equal(attempts, maxRetries + 1)
    }
  }
  const server = await statuses(t, [500, 200], { 'retry-after': '5' })
  const settings = downloadSettings(t, { retry: retryPolicy({ maxRetries: 0, maxTimeout: 5000 }) })
  await download({ url: server.origin }, settings, never).catch(() => {})
  const startedAt = performance.now()
  await download({ url: server.origin }, settings, never)
  t.ok(performance.now() - startedAt < 2000, 'another status does not')
})

t.test('mirrors', async t => {
  const good = await statuses(t, [200])
  const missing = await statuses(t, [404])
  const broken = await statuses(t, [500])

  t.test('are tried in order, each with all its retries', async t => {
    const found = await get(t, { url: broken.origin, mirrors: [missing.origin, good.origin] })
    t.match(found, { url: `${good.origin}/`, attempts: 4 + 1 + 1, status: 200 })
    t.strictSame(
      [broken, missing, good].map(({ requests }) => requests.length),
      [4, 1, 1]
    )
  })

  t.test('are left alone where the first has it', async t => {
    const { length } = missing.requests
    t.equal((await get(t, { url: good.origin, mirrors: [missing.origin] })).attempts, 1)
    t.equal(missing.requests.length, length)
  })

  t.test('also where the first is not fetched at all', async t => {
    const found = await get(t, { url: 'file:///etc/passwd', mirrors: ['not a URL', good.origin] })
    t.match(found, { url: `${good.origin}/`, attempts: 1 })
  })

  t.test('when none has it, the last error counts', async t => {
    await t.rejects(get(t, { url: broken.origin, mirrors: [missing.origin] }), {
      statusCode: 404,
      attempts: 5
    } as never)
    await t.rejects(get(t, { url: broken.origin, mirrors: [] }), { statusCode: 500, attempts: 4 } as never)
  })

  t.test('another size there is refused', async t => {
    const other = await plainServer(t, (_request, response) => response.end('something else'))
    await t.rejects(get(t, { url: missing.origin, mirrors: [other.origin], size: 4 }), {
      code: 'ERR_MILLRACE_SIZE',
      attempts: 1 + 4
    })
  })
})

t.test('deadline', async t => {
  t.test('nothing is tried again that would come after it', async t => {
    const server = await statuses(t, [503], { 'retry-after': '3600' })
    const retry = retryPolicy({ maxTimeout: 3_600_000 })
    const startedAt = performance.now()
    await t.rejects(get(t, { url: server.origin }, { retry, deadlineMs: 5000 }), {
      code: 'ERR_MILLRACE_STATUS',
      attempts: 1
    })
    t.ok(performance.now() - startedAt < 3000)
  })

  t.test('headers, and a body, that do not come', async t => {
    for (const path of ['/none', '/some']) {
      const server = await plainServer(t, (_request, response) => {
        if (path === '/some') response.writeHead(200).write('x')
      })
      const startedAt = performance.now()
      const mirrors = ['http://127.0.0.1:1/']
      await t.rejects(get(t, { url: server.origin, mirrors }, { deadlineMs: 60, headersTimeout: 0 }), {
        code: 'ERR_MILLRACE_TIMEOUT',
        attempts: 1
      })
      const tookMs = performance.now() - startedAt
      t.ok(tookMs >= 55 && tookMs < 3000, `${tookMs}`)
    }
  })

  t.test('a body that comes, but not in time', async t => {
    const server = await plainServer(t, (_request, response) => {
      const drip = setInterval(() => response.write('x'), 5)
      response.on('close', () => clearInterval(drip))
    })
    await t.rejects(get(t, { url: server.origin }, { deadlineMs: 100 }), {
      code: 'ERR_MILLRACE_TIMEOUT',
      message: /deadline/
    })
  })

  t.test('a turn that comes after it', async t => {
    const server = await statuses(t, [200])
    const origins = new Origins()
    origins.pause(server.origin, 80)
    await t.rejects(get(t, { url: server.origin }, { deadlineMs: 40, origins }), {
      code: 'ERR_MILLRACE_TIMEOUT',
      attempts: 0,
      message: /turn/
    })
    t.equal(server.requests.length, 0)
  })
})

t.test('abort', async t => {
  const reason = new Error('enough')

  t.test('while it waits to try again', async t => {
    const server = await statuses(t, [500])
    const controller = new AbortController()
    const retry = retryPolicy({ minTimeout: 30_000, maxTimeout: 30_000, retryAfter: false })
    t.intercept(Math, 'random', { value: () => 1 })
    const onRetry = () => setImmediate(() => controller.abort(reason))
    await t.rejects(
      download({ url: server.origin }, downloadSettings(t, { retry }), controller.signal, { onRetry }),
      reason
    )
    t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  t.test('while it waits for its origin', async t => {
    for (const options of [{ concurrencyPerOrigin: 1 }, {}]) {
      const origins = new Origins(options)
      const server = await statuses(t, [200])
      if (options.concurrencyPerOrigin === undefined) origins.pause(server.origin, 3_600_000)
      else origins.enter(server.origin, never)
      const controller = new AbortController()
      const done = download({ url: server.origin }, downloadSettings(t, { origins }), controller.signal)
      setImmediate(() => controller.abort(reason))
      await t.rejects(done, reason)
      t.equal(server.requests.length, 0)
      t.equal(getEventListeners(controller.signal, 'abort').length, 0)
    }
  })

  t.test('it is no failure, so mirrors are left alone', async t => {
    const server = await plainServer(t, () => {})
    const mirror = await statuses(t, [200])
    const controller = new AbortController()
    const done = download(
      { url: server.origin, mirrors: [mirror.origin] },
      downloadSettings(t),
      controller.signal
    )
    await until(() => server.requests.length === 1)
    controller.abort(reason)
    await t.rejects(done, reason)
    t.equal(mirror.requests.length, 0)
  })
})

t.test('a server that comes back meanwhile', async t => {
  const server = createServer((_request, response) => response.end('back'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  let retries = 0
  const onRetry = () => {
    if (++retries === 2) server.listen(port, '127.0.0.1')
  }
  t.teardown(() => server.close())
  const dispatcher = ownAgent(t)
  const retry = retryPolicy({ maxRetries: 50, minTimeout: 10, maxTimeout: 10 })
  const { body, attempts } = await get(
    t,
    { url: `http://127.0.0.1:${port}/` },
    { dispatcher, retry },
    { onRetry }
  )
  t.equal(String(body.data), 'back')
  t.ok(attempts >= 3)
  await dispatcher.close()
})

t.test("what a caller's function throws is not taken for a failure", async t => {
  const server = await statuses(t, [500])
  const failure = new Error('of the caller')
  const fail = () => {
    throw failure
  }
  await t.rejects(get(t, { url: server.origin }, { authorization: fail }), failure)
  t.equal(server.requests.length, 0)
  await t.rejects(get(t, { url: server.origin }, {}, { onRetry: fail }), failure)
  t.equal(server.requests.length, 1)
})
