import t from 'tap'
import { age, parseAge } from '../../lib/age.js'

t.test('hours, days and weeks', async t => {
  t.equal(parseAge('36h'), 36 * 3_600_000)
  t.equal(parseAge('7d'), 7 * 24 * 3_600_000)
  t.equal(parseAge('2W'), 14 * 24 * 3_600_000)
  t.equal(age('older', '0h'), 0)
})

t.test('what is none', async t => {
  for (const value of ['', '7', 'd', '7m', '-1d', '1.5d', ' 7d', 7, undefined, null, {}]) {
    t.equal(parseAge(value), undefined)
    t.throws(() => age('older', value), { code: 'ERR_MILLRACE_OPTION', option: 'older' })
  }
})
