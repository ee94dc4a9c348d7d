import t from 'tap'
import { type Announcement, Ledger } from '../../../lib/catalog/ledger.js'
import type { ProjectState } from '../../../lib/catalog/projects.js'

function setUp(batchSize?: number | undefined) {
  const batches: (readonly ProjectState[])[] = []
  const ledger = new Ledger({ batchSize, write: async states => void batches.push(states) })
  return { batches, ledger, written: () => batches.flat() }
}

function announcement(project: string, packages: number, more: Partial<Announcement> = {}): Announcement {
  return { project, packages, etag: `"${project}"`, ...more }
}

t.test('a project is settled when it was announced and each of its packages came to its end', async t => {
  const { ledger, written } = setUp()
  ledger.settle('a')
  ledger.announce(announcement('a', 3))
  ledger.settle('b')
  ledger.settle('b')
  ledger.settle('a')
  await ledger.flush()
  t.strictSame(written(), [])
  t.equal(ledger.inFlight, 2)
  ledger.settle('a')
  ledger.announce(announcement('b', 2, { serial: 9, digest: 'd', status: 'archived', statusReason: 'old' }))
  await ledger.flush()
  t.strictSame(written(), [
    { project: 'a', etag: '"a"', outcome: 'fetched' },
    {
      project: 'b',
      etag: '"b"',
      serial: 9,
      digest: 'd',
      status: 'archived',
      statusReason: 'old',
      outcome: 'fetched'
    }
  ])
  t.equal(ledger.inFlight, 0)
})

t.test('a project without packages is settled at once', async t => {
  const { ledger, written } = setUp()
  ledger.announce(announcement('a', 0))
  ledger.announce(announcement('b', 0, { unchanged: true }))
  ledger.missing('c')
  t.equal(ledger.inFlight, 0)
  await ledger.flush()
  t.match(written(), [
    { project: 'a', outcome: 'fetched' },
    { project: 'b', outcome: 'unchanged' },
    { project: 'c', outcome: 'fetched', serial: undefined }
  ])
})

t.test('what failed is not fetched', async t => {
  const { ledger, written } = setUp()
  ledger.failPackage('before')
  ledger.announce(announcement('before', 1))
  ledger.announce(announcement('after', 2))
  ledger.failPackage('after')
  ledger.settle('after')
  ledger.settle('document')
  ledger.failProject('document')
  ledger.announce(announcement('records', 1, { skipped: 1 }))
  ledger.settle('records')
  await ledger.flush()
  t.match(
    written().map(({ project, outcome }) => [project, outcome]),
    [
      ['before', 'failed'],
      ['after', 'failed'],
      ['document', 'failed'],
      ['records', 'partial']
    ]
  )
  t.equal(ledger.inFlight, 0)
})

t.test('batches are full, but for the last, and one is written at a time', async t => {
  const sizes: number[] = []
  let open = 0
  const ledger = new Ledger({
    batchSize: 10,
    write: async states => {
      t.equal(++open, 1)
      sizes.push(states.length)
      await new Promise(setImmediate)
      open--
    }
  })
  for (let n = 0; n < 10; n++) ledger.announce(announcement(`p${n}`, 0))
  t.strictSame(sizes, [10], 'without a flush')
  for (let n = 10; n < 25; n++) ledger.announce(announcement(`p${n}`, 0))
  await ledger.flush()
  t.strictSame(sizes, [10, 15])
  await ledger.flush()
  t.strictSame(sizes, [10, 15], 'nothing is left')
})

t.test('what fills a batch while another is written leaves without a flush', async t => {
  let wrote = () => {}
  const done = new Promise<void>(resolve => {
    wrote = resolve
  })
  let batches = 0
  const ledger = new Ledger({
    batchSize: 2,
    write: async () => {
      if (++batches === 2) wrote()
    }
  })
  for (let n = 0; n < 4; n++) ledger.announce(announcement(`p${n}`, 0))
  await done
  t.equal(batches, 2)
})

t.test('a batch that is not full leaves when the last one was long ago', async t => {
  const sizes: number[] = []
  const ledger = new Ledger({ maxWaitMs: 0, write: async states => void sizes.push(states.length) })
  ledger.announce(announcement('a', 0))
  t.strictSame(sizes, [1])
  const patient = new Ledger({ maxWaitMs: 1e9, write: async states => void sizes.push(states.length) })
  patient.announce(announcement('a', 0))
  t.strictSame(sizes, [1])
})

t.test('at the end, what nobody told of was left out', async t => {
  const { ledger, written } = setUp()
  ledger.announce(announcement('a', 3))
  ledger.settle('a')
  ledger.announce(announcement('b', 2))
  ledger.failPackage('b')
  ledger.settle('never announced')
  await ledger.end()
  t.match(
    written().map(({ project, outcome }) => [project, outcome]),
    [
      ['a', 'fetched'],
      ['b', 'failed']
    ]
  )
  t.equal(written().length, 2)
})

t.test(
  'what was left out for now only makes its project due when the first of it has come of age',
  async t => {
    const { ledger, written } = setUp()
    ledger.announce(announcement('a', 4, { serial: 3 }))
    for (const until of [undefined, 2000, 1000, 3000]) ledger.settle('a', until)
    await ledger.flush()
    t.strictSame(written(), [{ project: 'a', outcome: 'fetched', etag: '"a"', serial: 3, heldUntil: 1000 }])
  }
)

t.test('an error is told by flush, and nothing is written after it', async t => {
  const failure = new Error('no')
  let calls = 0
  const ledger = new Ledger({
    batchSize: 1,
    write: async () => {
      calls++
      throw failure
    }
  })
  ledger.announce(announcement('a', 0))
  ledger.announce(announcement('b', 0))
  await t.rejects(ledger.flush(), failure)
  ledger.announce(announcement('c', 0))
  await t.rejects(ledger.flush(), failure)
  t.equal(calls, 1)
})

t.test('the default batch holds 256', async t => {
  const { ledger, batches } = setUp(undefined)
  for (let n = 0; n < 256; n++) ledger.announce(announcement(`p${n}`, 0))
  t.equal(batches[0]?.length, 256)
})
