import t from 'tap'
import { Bitset } from '../../../lib/catalog/bitset.js'

t.test('has what was added, and nothing else', async t => {
  const set = new Bitset()
  const added = [0, 1, 31, 32, 2047, 2048, 5000, 1_000_000]
  for (const value of added) set.add(value)
  for (const value of added) t.ok(set.has(value), String(value))
  for (const value of [2, 30, 33, 2046, 2049, 4999, 5001, 999_999, 1_000_001, 50_000_000]) {
    t.notOk(set.has(value), String(value))
  }
})
