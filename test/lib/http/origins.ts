import { getEventListeners } from 'node:events'
import t from 'tap'
import { Origins, type SharedLimits } from '../../../lib/http/origins.js'
import { settled } from '../../helpers/http.js'

const never = new AbortController().signal
const A = 'https://a.example'
const B = 'https://b.example'

t.test('without limits there is nothing to wait for', async t => {
  const origins = new Origins()
  for (let at = 0; at < 100; at++) t.equal(origins.enter(A, never), undefined)
  t.equal(origins.size, 1)
})

t.test('requests at once, by origin, in the order in which they asked', async t => {
  const origins = new Origins({ concurrencyPerOrigin: 2 })
  const order: number[] = []
  const enter = async (id: number) => {
    await origins.enter(A, never)
    order.push(id)
  }
  for (let id = 0; id < 6; id++) enter(id)
  await settled(2)
  t.strictSame(order, [0, 1])
  t.equal(origins.enter(B, never), undefined, 'another origin has its own')
  origins.leave(A)
  // Whoever asks now comes after those that wait.
  enter(6)
  await settled(2)
  t.strictSame(order, [0, 1, 2])
  for (let at = 0; at < 5; at++) origins.leave(A)
  await settled(2)
  t.strictSame(order, [0, 1, 2, 3, 4, 5, 6])
  origins.leave(A)
  t.equal(origins.enter(A, never), undefined, 'one place is free again')
})

t.test('one that waits leaves the queue when aborted, and keeps no place', async t => {
  const origins = new Origins({ concurrencyPerOrigin: 1 })
  const controller = new AbortController()
  t.equal(origins.enter(A, never), undefined)
  const waits = origins.enter(A, controller.signal)
  const next = origins.enter(A, never)
  const reason = new Error('enough')
  controller.abort(reason)
  await t.rejects(Promise.resolve(waits), reason)
  await t.rejects(Promise.resolve(origins.enter(A, controller.signal)), reason)
  origins.leave(A)
  await next
  origins.leave(A)
  t.equal(origins.enter(A, never), undefined)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

t.test('requests a second, evenly spaced', async t => {
  const origins = new Origins({ requestsPerSecond: 100 })
  const startedAt = performance.now()
  const times: number[] = []
  await Promise.all(
    Array.from({ length: 11 }, async () => {
      await origins.enter(A, never)
      times.push(performance.now() - startedAt)
    })
  )
  // The n-th starts no earlier than n times 10 ms; Node's timers may be a millisecond early.
  for (const [at, time] of times.entries()) t.ok(time >= at * 10 - 1.5, `${at}: ${time}`)
  let entered = false
  void Promise.resolve(origins.enter(B, never)).then(() => {
    entered = true
  })
  await settled(2)
  t.ok(entered, 'another need not wait')
})

t.test('a pause holds the origin, and a longer one makes it longer', async t => {
  const origins = new Origins({ concurrencyPerOrigin: 1 })
  const startedAt = performance.now()
  origins.pause(A, 20)
  let entered = 0
  const waits = Promise.resolve(origins.enter(A, never)).then(() => {
    entered = performance.now() - startedAt
  })
  origins.pause(A, 60)
  origins.pause(A, 1)
  t.equal(origins.enter(B, never), undefined)
  await waits
  t.ok(entered >= 59, `${entered}`)
  origins.leave(A)
  await origins.enter(A, never)
  origins.leave(A)
  t.equal(origins.enter(A, never), undefined, 'over')
})

t.test('an abort while it waits for its time gives the place back', async t => {
  for (const options of [{ concurrencyPerOrigin: 1 }, { concurrencyPerOrigin: 1, requestsPerSecond: 0.01 }]) {
    const origins = new Origins(options)
    const controller = new AbortController()
    await origins.enter(A, never)
    origins.leave(A)
    origins.pause(A, 60_000)
    const waits = origins.enter(A, controller.signal)
    const queued = origins.enter(A, controller.signal)
    setImmediate(() => controller.abort())
    await t.rejects(Promise.resolve(waits), { name: 'AbortError' })
    await t.rejects(Promise.resolve(queued), { name: 'AbortError' })
  }
})

t.test('origins of which nothing is known are forgotten', async t => {
  const origins = new Origins()
  origins.enter('https://busy.example', never)
  origins.pause('https://paused.example', 60_000)
  for (let at = 0; at < 5000; at++) {
    origins.enter(`https://${at}.example`, never)
    origins.leave(`https://${at}.example`)
  }
  t.ok(origins.size <= 1000)
  t.not(
    origins.enter('https://paused.example', AbortSignal.timeout(1))?.catch(() => {}),
    undefined
  )
})

t.test('options', async t => {
  for (const options of [
    { concurrencyPerOrigin: 0 },
    { concurrencyPerOrigin: 1.5 },
    { requestsPerSecond: 0 },
    { requestsPerSecond: -1 }
  ])
    t.throws(() => new Origins(options), { code: 'ERR_MILLRACE_OPTION', option: Object.keys(options)[0] })
  t.doesNotThrow(() => new Origins({ concurrencyPerOrigin: undefined, requestsPerSecond: undefined }))
})

/** Limits that are shared with nobody, and what was asked of them. */
function sharedLimits(answer: { waitMs: number; pausedMs: number } = { waitMs: 0, pausedMs: 0 }) {
  const asked: [string, number][] = []
  const paused: { origin: string; ms: number }[] = []
  const shared: SharedLimits = {
    async reserve(origin, slots) {
      asked.push([origin, slots])
      return answer
    },
    async pause(origin, ms) {
      paused.push({ origin, ms })
      if (ms === 13) throw new Error('the database is away')
    },
    paused: async () => paused
  }
  return { shared, asked, paused }
}

t.test('those that wait for a shared slot reserve together, a quarter of a second at most', async t => {
  const { shared, asked } = sharedLimits()
  const origins = new Origins({ requestsPerSecond: 40, shared })
  await origins.enter(A, never)
  t.strictSame(asked, [[A, 1]])
  await Promise.all(Array.from({ length: 25 }, () => origins.enter(A, new AbortController().signal)))
  t.strictSame(
    asked
      .slice(1)
      .map(([, slots]) => slots)
      .slice(0, 2),
    [1, 10]
  )
  t.equal(
    asked.reduce((sum, [, slots]) => sum + slots, 0),
    26
  )
})

t.test('a slot that nobody used in time is none', async t => {
  const { shared } = sharedLimits()
  const waits = [-1000, 0]
  const late = { ...shared, reserve: async () => ({ waitMs: Number(waits.shift()), pausedMs: 0 }) }
  await new Origins({ requestsPerSecond: 40, shared: late }).enter(A, never)
  t.strictSame(waits, [], 'it asked again')
})

t.test('pauses are told to others, and those of others are kept to', async t => {
  const { shared, paused } = sharedLimits({ waitMs: 0, pausedMs: 30 })
  const origins = new Origins({ shared })
  origins.pause(A, 13)
  t.strictSame(paused, [{ origin: A, ms: 13 }])
  await new Origins().heed()
  paused.splice(0, 1, { origin: B, ms: 40 })
  await origins.heed()
  const startedAt = performance.now()
  await origins.enter(B, never)
  t.ok(performance.now() - startedAt >= 39)
  const limited = new Origins({ requestsPerSecond: 1000, shared })
  const before = performance.now()
  await limited.enter(A, never)
  t.ok(performance.now() - before >= 29, 'as the reservation says')
})
