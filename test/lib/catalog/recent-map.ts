import t from 'tap'
import { RecentMap } from '../../../lib/catalog/recent-map.js'

t.test('keeps what is used and forgets the rest', async t => {
  const map = new RecentMap<number, number>(10)
  for (let key = 0; key < 100; key++) {
    map.set(key, key * 2)
    t.equal(map.get(0), 0, 'in use all the time')
  }
  t.equal(map.get(99), 198)
  t.equal(map.get(50), undefined)
  let held = 0
  for (let key = 0; key < 100; key++) if (map.get(key) !== undefined) held++
  t.ok(held <= 10, `${held} held`)
})
