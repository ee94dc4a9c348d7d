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

t.test('is kept as text', async t => {
  for (const values of [[], [0], [31, 32, 63, 64], [1, 100_000, 7_000_001]]) {
    const set = new Bitset()
    for (const value of values) set.add(value)
    const read = Bitset.fromText(set.toText())
    for (const value of [0, 1, 31, 32, 63, 64, 65, 100_000, 7_000_001, 9_000_000])
      t.equal(read.has(value), values.includes(value))
    read.add(5_000_000)
    t.ok(read.has(5_000_000))
  }
})
