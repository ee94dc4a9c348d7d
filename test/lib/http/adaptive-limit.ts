import t from 'tap'
import { AdaptiveLimit } from '../../../lib/http/adaptive-limit.js'

interface Server {
  /** Time on the way, in ms. */
  readonly roundTripMs: number
  /** Time of the server's own for a request, of which it works on one at a time. */
  readonly serviceMs: number
}

interface Found {
  readonly limit: number
  /** Requests a second, over the second half. */
  readonly rate: number
}

/** The clock is made up. */
let now = 0

/** As many requests as the limit allows, all the time, against a server with a queue. */
function simulate(
  limit: AdaptiveLimit,
  server: Server,
  ms: number,
  reader = Number.POSITIVE_INFINITY
): Found {
  const inFlight: { sentAt: number; doneAt: number }[] = []
  const end = now + ms
  let free = 0
  let late = 0
  while (now < end) {
    while (inFlight.length < Math.min(limit.limit, reader)) {
      free = Math.max(free, now) + server.serviceMs
      inFlight.push({ sentAt: now, doneAt: free + server.roundTripMs })
    }
    const next = inFlight.reduce((first, other) => (other.doneAt < first.doneAt ? other : first))
    now = next.doneAt
    limit.succeeded({ now, latencyMs: now - next.sentAt, inFlight: inFlight.length })
    inFlight.splice(inFlight.indexOf(next), 1)
    if (now > end - ms / 2) late++
  }
  return { limit: limit.limit, rate: (late * 2000) / ms }
}

/** A limit that stays. */
class Fixed extends AdaptiveLimit {
  readonly #fixed: number

  constructor(fixed: number) {
    super()
    this.#fixed = fixed
  }

  override get limit(): number {
    return this.#fixed
  }
}

for (const roundTripMs of [1, 10, 50, 200]) {
  t.test(`a round trip of ${roundTripMs} ms: as good as the best fixed limit`, async t => {
    const server = { roundTripMs, serviceMs: 0.5 }
    const found = simulate(new AdaptiveLimit(), server, 20_000)
    const fixed = [1, 4, 16, 64, 256].map(limit => simulate(new Fixed(limit), server, 20_000).rate)
    t.ok(found.rate >= 0.9 * Math.max(...fixed), `${found.rate}/s at ${found.limit}, of ${fixed}`)
  })
}

t.test('a server near by gets few at once, one far away many', async t => {
  const near = simulate(new AdaptiveLimit(), { roundTripMs: 1, serviceMs: 1 }, 10_000)
  const far = simulate(new AdaptiveLimit(), { roundTripMs: 200, serviceMs: 0.1 }, 10_000)
  t.ok(near.limit <= 48, `${near.limit}`)
  t.equal(far.limit, 256)
})

t.test('the greatest limit', async t => {
  t.equal(new AdaptiveLimit({ max: 3 }).limit, 3)
  const limit = new AdaptiveLimit({ max: 20 })
  simulate(limit, { roundTripMs: 200, serviceMs: 0 }, 5000)
  t.equal(limit.limit, 20)
})

t.test('a slow reader is no reason for more', async t => {
  const limit = new AdaptiveLimit()
  simulate(limit, { roundTripMs: 50, serviceMs: 0 }, 5000, 5)
  t.equal(limit.limit, 16)
  // Nor once it no longer doubles.
  limit.failed(now)
  simulate(limit, { roundTripMs: 50, serviceMs: 0 }, 5000, 3)
  t.equal(limit.limit, 9)
})

t.test('a server that grows slower gets fewer, and more again when it recovers', async t => {
  const limit = new AdaptiveLimit()
  const before = simulate(limit, { roundTripMs: 50, serviceMs: 0.5 }, 10_000).limit
  const slow = simulate(limit, { roundTripMs: 50, serviceMs: 10 }, 60_000).limit
  const after = simulate(limit, { roundTripMs: 50, serviceMs: 0.5 }, 60_000).limit
  t.ok(slow < before / 2, `${before} to ${slow}`)
  t.ok(after > slow * 2, `${slow} to ${after}`)
})

t.test('errors', async t => {
  const limit = new AdaptiveLimit()
  limit.failed(now)
  t.equal(limit.limit, 9, 'at once')
  for (const later of [0, 1, 19]) limit.failed(now + later)
  t.equal(limit.limit, 9, 'what was under way at that time does not count again')
  for (let cuts = 0; cuts < 8; cuts++) {
    now += 100
    limit.failed(now)
  }
  t.equal(limit.limit, 1, 'and never none')
  const { limit: recovered } = simulate(limit, { roundTripMs: 10, serviceMs: 0.1 }, 10_000)
  t.ok(recovered > 16, `${recovered}`)
})
