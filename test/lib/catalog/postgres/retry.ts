import t from 'tap'
import { isConnectionLost, reason, retryAfter } from '../../../../lib/catalog/postgres/retry.js'

const coded = (code: string) => Object.assign(new Error('of the server'), { code })

const LOST = [
  ...['08006', '57P01', '57P03', '53300', 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN'].map(coded),
  new Error('Connection terminated unexpectedly'),
  new Error('Client has encountered a connection error and is not queryable')
]

t.test('what comes of the connection is tried again for a minute', async t => {
  for (const error of LOST) {
    t.ok(isConnectionLost(error))
    const delays = [1, 2, 3, 4, 5, 6, 100].map(attempt => retryAfter(error, attempt, 59_999))
    t.strictSame(delays, [100, 200, 400, 800, 1600, 2000, 2000])
    t.equal(retryAfter(error, 1, 60_000), undefined)
    t.match(reason(error), /^cannot be reached: /)
  }
  t.match(reason(Object.assign(new Error(''), { code: 'ECONNREFUSED' })), /ECONNREFUSED/)
})

t.test('so are transactions that were in the way of each other, ten times', async t => {
  for (const error of ['40001', '40P01'].map(coded)) {
    for (const attempt of [1, 10]) {
      const delay = retryAfter(error, attempt, 1e9) as number
      t.ok(delay >= 0 && delay <= 20 * attempt)
    }
    t.equal(retryAfter(error, 11, 0), undefined)
    t.equal(reason(error), undefined)
  }
})

t.test('nothing else is', async t => {
  for (const error of [
    coded('23505'),
    coded('53100'),
    coded('28P01'),
    coded('ENOTFOUND'),
    new Error('of ours')
  ]) {
    t.notOk(isConnectionLost(error))
    t.equal(retryAfter(error, 1, 0), undefined)
  }
  t.match(reason(coded('53100')), /the disk is full/)
  t.equal(reason(new Error('of ours')), undefined)
})
