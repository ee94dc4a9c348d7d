import { PassThrough, Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { Progress, StageProgress } from '../../lib/progress.js'
import { emptyReport } from '../../lib/report.js'
import { Downloader } from '../../streams/downloader.js'
import type { Stage } from '../../streams/sync.js'
import { recordProgress, SyncProgress } from '../../streams/sync-progress.js'
import { addProject, syncSetup } from '../helpers/sync.js'

const objects = { objectMode: true, highWaterMark: 2 }

/** Resolves when the event loop has come round. */
const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('a stage that nobody reads from holds up those before it', async t => {
  let release = () => {}
  const source = Readable.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], objects)
  const pass = new PassThrough(objects)
  const slow = new Transform({
    ...objects,
    transform(item, _encoding, done) {
      release = () => done(null, item)
    }
  })
  const sink = new Writable({ ...objects, write: (_item, _encoding, done) => done() })
  const progress = new SyncProgress([source, pass, slow, sink], emptyReport('x'))
  t.strictSame(
    progress.read().stages.map(({ waits }) => waits),
    [0, 0, 0, 0],
    'nothing is known yet'
  )
  const running = pipeline(source, pass, slow, sink)
  await turn()
  progress.sample()
  const { stages, listed } = progress.read()
  t.notOk(listed)
  t.strictSame(
    stages.map(({ waits }) => waits),
    [1, 1, 0, 0]
  )
  t.match(stages, [
    { name: 'Readable', input: undefined, output: { highWaterMark: 2 }, ended: false },
    { name: 'PassThrough', input: { length: 2, highWaterMark: 2 }, passed: undefined, rate: undefined },
    { name: 'Transform', input: { length: 2, highWaterMark: 2 }, output: { length: 0 } },
    { name: 'Writable', input: { length: 0 }, output: undefined, ended: false }
  ])
  const timer = setInterval(() => release(), 1)
  await running
  clearInterval(timer)
  progress.sample()
  const end = progress.read()
  t.ok(end.listed)
  t.ok(end.stages.every(({ ended }) => ended))
  t.equal(end.stages[0]?.waits, 0.5, 'of two looks')
})

t.test('stages of a sync, as they are and as another process sees them', async t => {
  const { index, run, open } = await syncSetup(t)
  for (let at = 0; at < 40; at++) addProject(index, `p${at}`, '1.0')
  index.latencyMs = 300
  const seen: Progress[] = []
  let stages: readonly Stage[] = []
  let own: SyncProgress | undefined
  const running = run({
    concurrency: 4,
    stages(list, report) {
      own = new SyncProgress(list, report)
      stages = list
      return list
    }
  })
  let over = false
  running.finally(() => {
    over = true
  })
  await open(async catalog => {
    while (!over) {
      own?.sample()
      const found = await catalog.progress('pypi').catch(() => undefined)
      if (found?.progress !== undefined && found.progress.elapsedMs !== seen.at(-1)?.elapsedMs)
        seen.push(found.progress)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    t.equal(await catalog.progress('pypi'), undefined, 'cleared')
  })
  await running
  t.ok(seen.length >= 3, `${seen.length} times in four seconds`)
  const middle = seen[2] as Progress
  const documents = middle.stages.find(({ fetches }) => fetches === 'documents') as StageProgress
  t.match(documents, { name: 'Downloader', inFlight: 4, concurrency: 4, ended: false })
  t.ok(documents.passed !== undefined && documents.passed > 0 && documents.passed < 40)
  t.ok(documents.rate !== undefined && documents.rate >= 4 && documents.rate <= 26, `${documents.rate}/s`)
  t.ok(documents.meanInFlight !== undefined && documents.meanInFlight > 3)
  t.equal(middle.report.projects.listed, 40)
  t.ok(middle.left > 0 && middle.left < 40)
  const end = own?.read() as Progress
  t.equal(end.left, 0)
  t.ok(end.listed)
  t.strictSame(
    end.stages.map(({ name, passed }) => [name, passed]),
    [
      ['ProjectSource', 40],
      ['ProjectLookup', 40],
      ['Downloader', 40],
      ['MetadataParser', 40],
      ['PackageFilter', 40],
      ['CatalogLookup', 40],
      ['PackageSaver', 40],
      ['VersionWriter', undefined]
    ]
  )
  t.equal(stages.length, 8)
})

t.test('of two downloaders the second one fetches files', async t => {
  const stages = [new Downloader<never>(), new Downloader<never>()]
  const progress = new SyncProgress(stages, emptyReport('x'))
  t.match(progress.read().stages, [
    { fetches: 'documents', rate: 0, inFlight: 0, meanInFlight: 0, waits: 0 },
    { fetches: 'files', rate: 0 }
  ])
  for (const stage of stages) stage.destroy()
})

t.test('rates are of the last five seconds', async t => {
  const now = performance.now.bind(performance)
  let ahead = 0
  performance.now = () => now() + ahead
  t.teardown(() => {
    performance.now = now
  })
  const downloader = new Downloader<never>()
  let passed = 0
  Object.defineProperty(downloader, 'passed', { get: () => passed })
  const progress = new SyncProgress([downloader], emptyReport('x'))
  const rate = () => progress.read().stages[0]?.rate
  for (passed = 0; passed < 1000; passed += 100) {
    progress.sample()
    ahead += 1000
  }
  t.equal(rate(), 100)
  for (let second = 0; second < 6; second++) {
    progress.sample()
    ahead += 1000
  }
  t.equal(rate(), 0)
})

t.test('it is written once a second, not while it is still being written, and may fail', async t => {
  const writes: { readonly at: number; readonly end: () => void }[] = []
  let wrote = () => {}
  const written = () =>
    new Promise<void>(resolve => {
      wrote = resolve
    })
  const first = written()
  const stop = recordProgress(
    {
      recordProgress: () =>
        new Promise((_resolve, reject) => {
          writes.push({ at: performance.now(), end: () => reject(new Error('full')) })
          wrote()
        })
    },
    [],
    emptyReport('x')
  )
  await first
  await new Promise(resolve => setTimeout(resolve, 1500))
  t.equal(writes.length, 1, 'the first one is not over')
  const second = written()
  writes[0]?.end()
  await second
  const third = written()
  writes[1]?.end()
  await third
  t.ok((writes[2]?.at ?? 0) - (writes[1]?.at ?? 0) >= 990)
  const stopped = stop()
  writes[2]?.end()
  await stopped
  t.equal(writes.length, 3)
})
