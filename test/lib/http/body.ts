import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { Body } from '../../../lib/http/body.js'

t.test('in memory', async t => {
  const bytes = Buffer.from('abc')
  const body = new Body(bytes, { md5: 'x' })
  t.equal(body.size, 3)
  t.equal(body.data, bytes)
  t.equal(body.path, undefined)
  t.strictSame(body.digests, { md5: 'x' })
  t.equal(await body.buffer(), bytes)
  t.strictSame(await buffer(body.stream()), bytes)
  t.equal(body.take(), undefined)
  await body.discard()
  t.equal(await body.buffer(), bytes, 'there is nothing to remove')
  t.strictSame(await buffer(new Body(Buffer.alloc(0)).stream()), Buffer.alloc(0))
  t.strictSame(new Body(bytes).digests, {})
})

t.test('in a file', async t => {
  const path = join(t.testdir({ file: 'abc' }), 'file')
  const body = new Body({ path, size: 3 })
  t.equal(body.size, 3)
  t.equal(body.data, undefined)
  t.equal(body.path, path)
  t.strictSame(await body.buffer(), Buffer.from('abc'))
  t.strictSame(await buffer(body.stream()), Buffer.from('abc'))
  await body.discard()
  t.equal(existsSync(path), false)
  t.equal(body.path, undefined)
  await body.discard()
  await t.rejects(body.buffer(), { message: /discarded or taken/ })
  t.throws(() => body.stream(), { message: /discarded or taken/ })
})

t.test("a file that is taken is the taker's", async t => {
  const path = join(t.testdir({ file: 'abc' }), 'file')
  const body = new Body({ path, size: 3 })
  t.equal(body.take(), path)
  t.equal(body.take(), undefined)
  await body.discard()
  t.equal(existsSync(path), true)
})

t.test('a file that is gone', async t => {
  const body = new Body({ path: join(t.testdir({}), 'none'), size: 3 })
  await t.rejects(body.buffer(), { code: 'ENOENT' })
  await body.discard()
})
