import { getEventListeners, once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as immediate } from 'node:timers/promises'
import { chain } from 'stream-chain'
import t from 'tap'
import { ConcurrentTransform, type ConcurrentTransformOptions } from '../../streams/concurrent-transform.js'

/** Calls that the test ends by hand, or that end by themselves after a turn of the event loop. */
class Calls extends ConcurrentTransform<number, number> {
  readonly started: number[] = []
  readonly discarded: number[] = []
  peak = 0
  aborted = 0
  readonly #open = new Map<
    number,
    { resolve: (value?: number | null) => void; reject: (e: unknown) => void }
  >()
  readonly #byHand: boolean

  constructor(options: ConcurrentTransformOptions = {}, byHand = false) {
    super(options)
    this.#byHand = byHand
  }

  get open(): number[] {
    return [...this.#open.keys()]
  }

  end_(item: number, value: number | null | undefined = item): void {
    this.#open.get(item)?.resolve(value)
  }

  fail(item: number, error: unknown): void {
    this.#open.get(item)?.reject(error)
  }

  protected override async _call(item: number, signal: AbortSignal): Promise<number | undefined | null> {
    this.started.push(item)
    this.peak = Math.max(this.peak, this.inFlight + 1)
    try {
      return await new Promise<number | undefined | null>((resolve, reject) => {
        this.#open.set(item, { resolve, reject })
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        if (!this.#byHand) setImmediate(resolve, item)
      })
    } catch (error) {
      if (signal.aborted) this.aborted++
      throw error
    } finally {
      this.#open.delete(item)
    }
  }

  protected override async _discard(result: number): Promise<void> {
    await immediate()
    this.discarded.push(result)
  }
}

/** Lets everything happen that can without the test's doing. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await immediate()
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

for (const size of [0, 1, 2, 1000]) {
  for (const concurrency of [1, 8, 64]) {
    t.test(`${size} objects, ${concurrency} at once`, async t => {
      const stage = new Calls({ concurrency })
      const found: number[] = []
      await pipeline(Readable.from(numbers(size)), stage, async (source: AsyncIterable<number>) => {
        for await (const value of source) found.push(value)
      })
      t.strictSame(
        found.toSorted((a, b) => a - b),
        numbers(size)
      )
      t.equal(stage.peak, Math.min(size, concurrency))
      t.equal(stage.inFlight, 0)
    })
  }
}

for (const [concurrency, highWaterMark] of [
  [1, 1],
  [1, 16],
  [8, 1],
  [20, 16],
  [64, 16]
] as const) {
  const bound = concurrency + highWaterMark - 1

  t.test(
    `with no reader, ${concurrency} at once and highWaterMark ${highWaterMark}: ${bound} held`,
    async t => {
      const stage = new Calls({ concurrency, highWaterMark })
      t.teardown(() => stage.destroy())
      for (const number of numbers(500)) stage.write(number)
      await settled()
      t.equal(stage.started.length, bound)
      t.equal(stage.readableLength, bound)
      t.equal(stage.inFlight, 0)
      t.equal(stage.peak, concurrency)
      for (let reads = 1; reads < concurrency; reads++) stage.read()
      await settled()
      t.equal(stage.started.length, bound, 'no call while highWaterMark objects are unread')
      stage.read()
      await settled()
      t.equal(stage.started.length, bound + concurrency)
      t.equal(stage.readableLength, bound)
    }
  )

  t.test(`with a slow reader, never more than ${bound} in flight or unread`, async t => {
    const stage = new Calls({ concurrency, highWaterMark })
    let held = 0
    let reached = 0
    await pipeline(
      Readable.from(numbers(300)),
      stage,
      new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(_value, _encoding, done) {
          held = Math.max(held, stage.inFlight + stage.readableLength)
          reached++
          setImmediate(() => setImmediate(done))
        }
      })
    )
    t.equal(reached, 300)
    t.ok(held <= bound, `${held} held`)
    t.equal(stage.peak, concurrency)
  })
}

t.test('results come in the order in which calls finish; undefined and null give nothing', async t => {
  const stage = new Calls({ concurrency: 4 }, true)
  const found: number[] = []
  stage.on('data', value => found.push(value))
  for (const number of [1, 2, 3, 4]) stage.write(number)
  stage.end()
  stage.end_(3)
  await settled()
  stage.end_(2, null)
  stage.end_(4, undefined)
  await settled()
  t.equal(stage.readableEnded, false)
  stage.end_(1)
  await once(stage, 'end')
  t.strictSame(found, [3, 4, 1])
})

t.test('the first failure destroys the stream, once the other calls were aborted and waited for', async t => {
  const stage = new Calls({ concurrency: 3 }, true)
  for (const number of [1, 2, 3, 4]) stage.write(number)
  await settled()
  const failure = new Error('first')
  let closed = false
  stage.on('close', () => {
    closed = true
    t.strictSame(stage.open, [], 'nothing in flight when it closes')
  })
  stage.fail(2, failure)
  const [error] = await once(stage, 'error').catch(error => [error])
  t.equal(error, failure)
  t.equal(stage.aborted, 2)
  t.strictSame(stage.started, [1, 2, 3], 'what had not started never did')
  await settled()
  t.equal(closed, true)
})

t.test('what is no error becomes one', async t => {
  const stage = new Calls({}, true)
  stage.write(1)
  stage.fail(1, 'a word')
  await t.rejects(once(stage, 'end'), { message: 'a word' })
})

t.test('destroy waits for a call that takes its time', async t => {
  let finish = () => {}
  class Stubborn extends ConcurrentTransform<number, number> {
    protected override _call(): Promise<number> {
      return new Promise(resolve => {
        finish = () => resolve(1)
      })
    }
  }
  const stage = new Stubborn()
  stage.write(1)
  let closed = false
  stage.on('close', () => {
    closed = true
  })
  stage.destroy()
  await settled()
  t.equal(closed, false)
  finish()
  await settled()
  t.equal(closed, true)
  t.equal(stage.inFlight, 0)
})

t.test('what nobody will read is discarded before the stream closes, and does not make it end', async t => {
  const stage = new Calls({ concurrency: 2, highWaterMark: 4 }, true)
  const seen: unknown[] = []
  stage.on('data', value => seen.push(value))
  stage.pause()
  let ended = false
  stage.on('end', () => {
    ended = true
  })
  for (const number of [1, 2]) stage.write(number)
  stage.end()
  stage.end_(1)
  stage.end_(2)
  await settled()
  t.equal(stage.readableLength, 2)
  stage.destroy()
  await once(stage, 'close')
  t.strictSame(stage.discarded, [1, 2])
  await settled()
  t.strictSame([seen, ended], [[], false])
})

t.test('a result that comes after destroy is discarded too', async t => {
  class Late extends Calls {
    protected override async _call(item: number): Promise<number> {
      await immediate()
      return item
    }
  }
  const stage = new Late()
  stage.write(7)
  stage.destroy()
  await once(stage, 'close')
  t.strictSame(stage.discarded, [7])
})

t.test('without anything to release, what is unread is only dropped', async t => {
  class Plain extends ConcurrentTransform<number, number> {
    protected override async _call(item: number): Promise<number> {
      return item
    }
  }
  const stage = new Plain()
  stage.write(1)
  await settled()
  stage.destroy()
  await once(stage, 'close')
  t.equal(stage.readableLength, 0)
})

t.test('a signal destroys it with an AbortError', async t => {
  const controller = new AbortController()
  const stage = new Calls({ concurrency: 2, signal: controller.signal }, true)
  for (const number of [1, 2, 3]) stage.write(number)
  await settled()
  controller.abort(new Error('why'))
  const [error] = await once(stage, 'error').catch(error => [error])
  t.match(error, { name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'why' } })
  t.equal(stage.aborted, 2)
})

t.test('a signal that outlives many streams keeps none of them', async t => {
  const { signal } = new AbortController()
  for (let run = 0; run < 50; run++) {
    const stage = new Calls({ signal })
    stage.end()
    stage.resume()
    await once(stage, 'close')
  }
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('an exception of a subclass destroys the stream and goes nowhere else', async t => {
  class Throws extends ConcurrentTransform<number, number> {
    protected override _admits(item: number): boolean {
      if (item === 1) throw new Error('in _admits')
      return true
    }
    protected override _call(): Promise<number> {
      throw new Error('in _call')
    }
  }
  for (const [item, message] of [
    [1, 'in _admits'],
    [2, 'in _call']
  ] as const) {
    const stage = new Throws()
    stage.write(item)
    await t.rejects(once(stage, 'end'), { message })
    t.equal(stage.inFlight, 0)
  }
})

t.test('a further limit holds calls back until others end', async t => {
  class Limited extends Calls {
    protected override _admits(): boolean {
      return this.open.length < 2
    }
  }
  const stage = new Limited({ concurrency: 10 })
  stage.resume()
  for (const number of numbers(20)) stage.write(number)
  stage.end()
  await once(stage, 'end')
  t.equal(stage.peak, 2)
  t.equal(stage.started.length, 20)
})

t.test('concurrency can change while it runs', async t => {
  const stage = new Calls({ concurrency: 1 }, true)
  t.teardown(() => stage.destroy())
  for (const number of numbers(10)) stage.write(number)
  await settled()
  t.equal(stage.inFlight, 1)
  stage.concurrency = 5
  await settled()
  t.equal(stage.inFlight, 5)
  t.equal(stage.concurrency, 5)
  stage.concurrency = 2
  for (const number of [0, 1, 2]) stage.end_(number)
  await settled()
  t.equal(stage.inFlight, 2)
  t.throws(
    () => {
      stage.concurrency = 0
    },
    { code: 'ERR_MILLRACE_OPTION', option: 'concurrency' }
  )
})

t.test('with for await, leaving the loop stops it', async t => {
  const stage = new Calls({ concurrency: 4, highWaterMark: 2 })
  for (const number of numbers(50)) stage.write(number)
  let seen = 0
  for await (const _ of stage) if (++seen === 3) break
  t.equal(stage.destroyed, true)
  t.ok(stage.started.length < 20)
})

t.test("in stream-chain's chain", async t => {
  const stage = new Calls({ concurrency: 4 })
  const line = chain([stage, (value: number) => value * 2])
  const found: number[] = []
  line.on('data', value => found.push(value))
  for (const number of numbers(100)) line.write(number)
  line.end()
  await once(line, 'end')
  t.equal(
    found.reduce((sum, value) => sum + value, 0),
    9900
  )
})

t.test('an early end of the reader in a pipeline aborts what is in flight', async t => {
  const stage = new Calls({ concurrency: 4 }, true)
  const sink = new Writable({ objectMode: true, write: (_value, _encoding, done) => done(new Error('full')) })
  const done = pipeline(Readable.from(numbers(100)), stage, sink)
  await settled()
  stage.end_(0)
  await t.rejects(done, { message: 'full' })
  await settled()
  t.strictSame(stage.open, [])
  t.ok(stage.aborted >= 3)
})

t.test('options', async t => {
  for (const options of [
    { concurrency: 0 },
    { concurrency: 1.5 },
    { concurrency: Number.POSITIVE_INFINITY },
    { highWaterMark: 0 },
    { highWaterMark: -1 }
  ]) {
    t.throws(() => new Calls(options), { code: 'ERR_MILLRACE_OPTION', option: Object.keys(options)[0] })
  }
  const stage = new Calls({ concurrency: undefined, highWaterMark: undefined, signal: undefined })
  t.equal(stage.concurrency, 16)
  t.equal(stage.readableHighWaterMark, 16)
  t.equal(stage.writableHighWaterMark, 16)
  // @ts-expect-error an unknown name is caught by its type
  new Calls({ concurrencyy: 1 })
})

t.test('a signal that is aborted already ends the stage as it is made', async t => {
  class Idle extends ConcurrentTransform<number, number> {
    protected async _call(): Promise<number> {
      return 0
    }
  }
  await t.rejects(new Idle({ signal: AbortSignal.abort() }).toArray(), { code: 'ABORT_ERR' })
})
