import t from 'tap'
import { ByteCache } from '../../../lib/serve/byte-cache.js'

t.test('it holds so many bytes, and forgets what was not used for longest', async t => {
  const cache = new ByteCache<string>(100)
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key.toUpperCase(), 25)
  t.equal(cache.bytes, 100)
  t.equal(cache.get('a'), 'A')
  cache.set('e', 'E', 25)
  t.equal(cache.get('b'), undefined, 'the oldest unused')
  t.equal(cache.get('a'), 'A', 'used lately')
  t.equal(cache.bytes, 100)
  cache.set('a', 'A2', 1)
  t.equal(cache.bytes, 76)
  t.equal(cache.get('a'), 'A2')
  cache.set('large', 'L', 26)
  t.equal(cache.get('large'), undefined, 'more than a quarter is not kept')
  cache.delete('nothing')
  cache.delete('a')
  t.equal(cache.bytes, 75)
})

t.test('values that grow', async t => {
  const cache = new ByteCache<string>(100)
  cache.set('a', 'A', 25)
  cache.set('b', 'B', 25)
  cache.grow('b', 'B', 60)
  t.equal(cache.bytes, 85)
  t.equal(cache.get('a'), undefined, 'made room')
  cache.grow('b', 'another B', 60)
  cache.grow('a', 'A', 60)
  t.equal(cache.bytes, 85, 'what is not held does not count')
})
