import t from 'tap'
import { Origins } from '../../../lib/http/origins.js'
import { openCatalog } from '../../helpers/catalog.js'

const A = 'https://a.example'
const B = 'https://b.example'

t.test('slots follow each other, whoever reserves them', async t => {
  const { origins } = await openCatalog(t)
  t.match(await origins.reserve(A, 10, 60_000), { waitMs: 0, pausedMs: 0 })
  const { waitMs } = await origins.reserve(A, 1, 60_000)
  t.ok(waitMs > 9 * 60_000 && waitMs <= 10 * 60_000, String(waitMs))
  const next = await origins.reserve(A, 1, 60_000)
  t.ok(next.waitMs > 10 * 60_000 && next.waitMs <= 11 * 60_000, String(next.waitMs))
  t.match(await origins.reserve(B, 1, 1), { waitMs: 0 }, 'another origin has its own')
})

t.test('a pause holds for all, and the longest', async t => {
  const { origins } = await openCatalog(t)
  t.strictSame(await origins.paused(), [])
  await origins.pause(A, 60_000)
  await origins.pause(A, 10)
  const [paused, ...rest] = await origins.paused()
  t.strictSame(rest, [])
  t.equal(paused?.origin, A)
  t.ok(Number(paused?.ms) > 50_000)
  const { pausedMs } = await origins.reserve(A, 1, 1)
  t.ok(pausedMs > 50_000)
  await origins.pause(B, 0)
  t.equal((await origins.paused()).length, 1)
})

t.test('what is past is forgotten with the next run', async t => {
  const catalog = await openCatalog(t)
  await catalog.origins.reserve(A, 1, 1)
  await catalog.origins.pause(B, 60_000)
  const run = await catalog.beginRun({ repository: 'x' })
  await run.finish('failed')
  t.match(await catalog.origins.paused(), [{ origin: B }])
  t.match(await catalog.origins.reserve(A, 1, 1), { waitMs: 0 })
})

t.test('several share one limit', async t => {
  const { origins } = await openCatalog(t)
  const clients = Array.from({ length: 4 }, () => new Origins({ requestsPerSecond: 50, shared: origins }))
  const startedAt = performance.now()
  await Promise.all(
    clients.flatMap(client => Array.from({ length: 5 }, () => client.enter(A, new AbortController().signal)))
  )
  t.ok(performance.now() - startedAt >= 19 * 20 - 20, 'twenty at fifty a second')
})
