import { getEventListeners } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { BatchTransform, type BatchTransformOptions } from '../../streams/batch-transform.js'

/** Gives each object once, doubled; keeps what its calls were given. */
class Doubler extends BatchTransform<number, number> {
  readonly batches: (readonly number[])[] = []
  readonly discarded: number[] = []
  calls = 0
  maxCalls = 0
  signal: AbortSignal | undefined
  hold: Promise<void> | undefined
  bytes: number | undefined
  /** What a batch gives nothing for. */
  dropped: number | undefined

  protected override async _batch(items: readonly number[], signal: AbortSignal): Promise<readonly number[]> {
    this.batches.push(items)
    this.signal = signal
    this.maxCalls = Math.max(this.maxCalls, ++this.calls)
    await (this.hold ?? new Promise(setImmediate))
    this.calls--
    if (items.includes(-1)) throw new Error('refused')
    if (this.dropped !== undefined && items.includes(this.dropped)) return []
    return items.map(item => item * 2)
  }

  protected override _fills(item: number): boolean {
    return item === this.bytes
  }

  protected override async _discard(items: readonly number[]): Promise<void> {
    this.discarded.push(...items)
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** Resolves when all that can happen without the outside has happened. */
async function settled(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise(setImmediate)
}

async function run(stage: Doubler, items: readonly number[], pause?: () => Promise<void>): Promise<number[]> {
  const out: number[] = []
  const sink = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (item: number, _encoding, callback) => {
      out.push(item)
      if (pause === undefined) callback()
      else pause().then(() => callback(), callback)
    }
  })
  await pipeline(Readable.from(items), stage, sink)
  return out
}

for (const count of [0, 1, 2, 9, 10, 11, 1000]) {
  t.test(`${count} objects, each once and in order`, async t => {
    const stage = new Doubler({ batchSize: 10, maxWaitMs: 60_000 })
    t.strictSame(
      await run(stage, numbers(count)),
      numbers(count).map(n => n * 2)
    )
    t.strictSame(
      stage.batches.map(batch => batch.length),
      [...Array<number>(Math.floor(count / 10)).fill(10), ...(count % 10 > 0 ? [count % 10] : [])],
      'full batches, but for the last'
    )
    t.ok(stage.maxCalls <= 1)
  })
}

t.test('the defaults', async t => {
  const options: BatchTransformOptions = {
    batchSize: undefined,
    maxWaitMs: undefined,
    highWaterMark: undefined,
    signal: undefined
  }
  for (const stage of [new Doubler(), new Doubler(options)]) {
    await run(stage, numbers(1000))
    t.strictSame(
      stage.batches.map(batch => batch.length),
      [480, 480, 40]
    )
    t.equal(stage.readableHighWaterMark, 16)
  }
})

t.test('bad options', async t => {
  const bad: [string, unknown[]][] = [
    ['batchSize', [0, 1.5, '1', null, Number.NaN]],
    ['maxWaitMs', [-1, 0.5, 2 ** 31, '1', null]],
    ['highWaterMark', [0, 1.5, null]]
  ]
  for (const [option, values] of bad) {
    for (const value of values) {
      t.throws(() => new Doubler({ [option]: value } as BatchTransformOptions), {
        code: 'ERR_MILLRACE_OPTION',
        option
      })
    }
  }
})

t.test('a batch that is not full leaves when it has waited', async t => {
  const stage = new Doubler({ batchSize: 10, maxWaitMs: 5 })
  const input = new Readable({ objectMode: true, read() {} })
  const reading = stage[Symbol.asyncIterator]()
  const ended = pipeline(input, stage, { end: true }).catch(() => {})
  for (const round of [1, 2]) {
    input.push(round)
    input.push(round + 10)
    t.equal((await reading.next()).value, round * 2)
    t.equal((await reading.next()).value, (round + 10) * 2)
  }
  t.strictSame(stage.batches, [
    [1, 11],
    [2, 12]
  ])
  input.push(null)
  t.ok((await reading.next()).done)
  await ended
})

t.test('each batch waits anew', async t => {
  const maxWaitMs = 50
  const stage = new Doubler({ batchSize: 10, maxWaitMs, highWaterMark: 1 })
  stage.write(1)
  stage.write(2)
  await new Promise(resolve => stage.once('readable', resolve))
  const startedAt = performance.now()
  stage.write(3)
  const seen: number[] = []
  for await (const item of stage) {
    seen.push(item)
    if (item === 6) break
  }
  t.strictSame(seen, [2, 4, 6])
  // Node's timers may be a millisecond early.
  t.ok(performance.now() - startedAt >= maxWaitMs - 2)
})

t.test('a batch that is full for another reason', async t => {
  const stage = new Doubler({ batchSize: 10, maxWaitMs: 60_000 })
  stage.bytes = 2
  await run(stage, numbers(5))
  t.strictSame(stage.batches, [
    [0, 1, 2],
    [3, 4]
  ])
})

t.test('with no reader it holds what it says, and no more', async t => {
  for (const [batchSize, highWaterMark] of [
    [1, 1],
    [10, 1],
    [10, 16],
    [3, 5]
  ] as const) {
    const stage = new Doubler({ batchSize, highWaterMark, maxWaitMs: 60_000 })
    let taken = 0
    for (let rounds = 0; rounds < 10; rounds++) {
      while (stage.writableLength < highWaterMark) stage.write(taken++)
      await settled()
    }
    // Batches are made until the reader's buffer is full, and one more; another is collected, its last object in the
    // writer's buffer.
    const unread = (Math.ceil(highWaterMark / batchSize) + 1) * batchSize
    t.equal(taken, unread + batchSize + highWaterMark - 1)
    t.ok(taken <= 3 * batchSize + 2 * (highWaterMark - 1))
    t.ok(stage.readableLength <= highWaterMark)
    stage.destroy()
  }
})

t.test('with a slow reader it holds no more either', async t => {
  const stage = new Doubler({ batchSize: 7, highWaterMark: 4 })
  let taken = 0
  let given = 0
  let most = 0
  const source = (function* () {
    for (; taken < 500; taken++) yield taken
  })()
  const sink = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(_item, _encoding, callback) {
      given++
      most = Math.max(most, taken - given)
      setImmediate(callback)
    }
  })
  await pipeline(Readable.from(source, { highWaterMark: 1 }), stage, sink)
  t.equal(given, 500)
  // Beside the stage's own, the source and the sink hold an object or two.
  t.ok(most <= 3 * 7 + 2 * (4 - 1) + 3, `${most}`)
})

t.test('the next batch is there when the reader comes to the end of one', async t => {
  const stage = new Doubler({ batchSize: 3, highWaterMark: 1, maxWaitMs: 60_000 })
  for (const number of numbers(9)) stage.write(number)
  await settled()
  t.strictSame(stage.batches, [
    [0, 1, 2],
    [3, 4, 5]
  ])
  for (const number of [0, 1, 2]) t.equal(stage.read(), number * 2)
  await settled()
  t.equal(stage.batches.length, 3, 'and the one after it is begun when that one is')
  t.equal(stage.read(), 6)
  stage.end()
  const rest: number[] = []
  for await (const number of stage) rest.push(number)
  t.strictSame(rest, [8, 10, 12, 14, 16])
})

t.test('written to, and ended, by who listens to its data', async t => {
  for (const batchSize of [1, 3]) {
    const stage = new Doubler({ batchSize, maxWaitMs: 60_000 })
    const seen: number[] = []
    stage.on('data', number => {
      seen.push(number)
      if (seen.length > 6) return
      if (seen.length === 6) stage.end()
      else if (seen.length % 3 === 0) for (const next of [3, 4, 5]) stage.write(next)
    })
    for (const number of numbers(3)) stage.write(number)
    await new Promise(resolve => stage.once('end', resolve))
    t.strictSame(seen, [0, 2, 4, 6, 8, 10], `batches of ${batchSize}`)
  }
})

t.test('a batch that gives nothing', async t => {
  const stage = new Doubler({ batchSize: 2, maxWaitMs: 60_000 })
  stage.dropped = 2
  t.strictSame(await run(stage, numbers(6)), [0, 2, 8, 10])
})

t.test('a batch is collected while another is in its call', async t => {
  const stage = new Doubler({ batchSize: 3, maxWaitMs: 60_000 })
  let release = () => {}
  stage.hold = new Promise(resolve => {
    release = resolve
  })
  for (const n of numbers(6)) stage.write(n)
  await settled()
  t.strictSame(stage.batches, [[0, 1, 2]])
  t.equal(stage.writableLength, 1, 'five were taken; the sixth filled its batch and waits')
  release()
  await settled()
  t.strictSame(stage.batches.length, 2)
  stage.destroy()
})

t.test('a call that fails in the middle', async t => {
  const stage = new Doubler({ batchSize: 10, maxWaitMs: 60_000 })
  const items = numbers(100)
  items[55] = -1
  await t.rejects(run(stage, items), { message: 'refused' })
  t.ok(stage.destroyed)
  t.ok(stage.signal?.aborted)
  t.equal(stage.batches.length, 6)
})

t.test('what is thrown and is no error', async t => {
  class Odd extends BatchTransform<number, number> {
    protected override async _batch(): Promise<number[]> {
      throw 'a string'
    }
  }
  await t.rejects(pipeline(Readable.from([1]), new Odd(), new Writable({ objectMode: true })), {
    message: 'a string'
  })
})

t.test('an abort ends the call, waits for it, and discards what was collected', async t => {
  const controller = new AbortController()
  const stage = new Doubler({ batchSize: 2, maxWaitMs: 60_000, signal: controller.signal })
  let release = () => {}
  stage.hold = new Promise(resolve => {
    release = resolve
  })
  for (const n of numbers(3)) stage.write(n)
  await settled()
  let closed = false
  const error = new Promise(resolve => stage.once('error', resolve))
  stage.once('close', () => {
    closed = true
  })
  controller.abort()
  await settled()
  t.ok(stage.signal?.aborted)
  t.notOk(closed, 'the call is still under way')
  release()
  t.match(await error, { code: 'ABORT_ERR' })
  await settled()
  t.ok(closed)
  t.strictSame(stage.discarded, [2])
  t.equal(stage.readableLength, 0, 'what came too late is not passed on')
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

t.test('destroyed, it leaves no timer behind', async t => {
  const stage = new Doubler({ batchSize: 10, maxWaitMs: 60_000 })
  stage.write(1)
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  stage.destroy()
  await new Promise(resolve => stage.once('close', resolve))
  t.equal(timers(), before - 1)
  t.strictSame(stage.discarded, [1])
  t.strictSame(stage.batches, [])
})

t.test('an error while discarding does not hide the one before it', async t => {
  class Leaky extends Doubler {
    protected override async _discard(): Promise<void> {
      throw new Error('leaky')
    }
  }
  for (const [first, seen] of [
    [new Error('first'), 'first'],
    [undefined, 'leaky']
  ] as const) {
    const stage = new Leaky()
    const error = new Promise<Error>(resolve => stage.once('error', resolve))
    stage.destroy(first)
    t.equal((await error).message, seen)
  }
})

t.test('a reader that destroys it in the middle of a batch', async t => {
  const stage = new Doubler({ batchSize: 10, highWaterMark: 100 })
  const seen: number[] = []
  stage.on('data', item => {
    seen.push(item)
    if (seen.length === 3) stage.destroy()
  })
  const closed = new Promise(resolve => stage.once('close', resolve))
  for (const n of numbers(10)) stage.write(n)
  await closed
  t.strictSame(seen, [0, 2, 4])
})

t.test('with for await', async t => {
  const stage = new Doubler({ batchSize: 4, maxWaitMs: 60_000 })
  const seen: number[] = []
  for await (const item of Readable.from(numbers(10)).pipe(stage)) seen.push(item)
  t.equal(seen.length, 10)
})

// @ts-expect-error there is no such option
t.type(new Doubler({ size: 1 }), Doubler)

t.test('a signal that is aborted already ends the stage as it is made', async t => {
  class Idle extends BatchTransform<number, number> {
    protected async _batch(items: readonly number[]): Promise<readonly number[]> {
      return items
    }
  }
  await t.rejects(new Idle({ signal: AbortSignal.abort() }).toArray(), { code: 'ABORT_ERR' })
})

/** Lets numbers from 100 on pass. */
class Passing extends Doubler {
  protected override _pass(item: number): number | undefined {
    return item < 100 ? undefined : item * 2
  }
}

t.test('what needs no call goes on at once, in order', async t => {
  const stage = new Passing({ batchSize: 10, maxWaitMs: 60_000 })
  const items = [...numbers(150).slice(100), ...numbers(150).slice(95), 1, 101]
  const out = await run(stage, items, () => new Promise(setImmediate))
  t.strictSame(
    out,
    items.map(item => item * 2)
  )
  t.same(
    stage.batches[0]?.slice(0, 6),
    [95, 96, 97, 98, 99, 100],
    'what follows those with a call waits with them'
  )
  t.equal(stage.passed, items.length)
})

t.test('what passes waits for its reader', async t => {
  const stage = new Passing({ highWaterMark: 4 })
  let taken = 0
  for (let n = 0; n < 20; n++) stage.write(100 + n, () => taken++)
  await settled()
  t.equal(stage.readableLength, 4)
  t.equal(taken, 3, 'the callback of the one that filled the buffer waits')
  stage.destroy()
  await new Promise(resolve => stage.once('close', resolve))
  t.equal(stage.batches.length, 0)
})
