import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { Body } from '../../../lib/http/body.js'
import { checkedBytes, digestOf, isSha256, nameOf } from '../../../lib/store/content.js'

const data = Buffer.from('content')
const sha256 = createHash('sha256').update(data).digest('hex')

t.test('names', async t => {
  t.equal(nameOf(sha256), `sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`)
  t.ok(isSha256(sha256))
  for (const name of ['', '../../etc/passwd', sha256.toUpperCase(), sha256.slice(1), `${sha256}\n`]) {
    t.notOk(isSha256(name))
    t.throws(() => nameOf(name), { code: 'ERR_MILLRACE_STORE' })
  }
})

t.test('the digest of a body', async t => {
  t.equal(await digestOf(new Body(data), {}, 'here'), sha256)
  t.equal(await digestOf(new Body(data, { sha256: 'as counted' }), {}, 'here'), 'as counted')
  t.equal(await digestOf(new Body(data), { sha256: sha256.toUpperCase() }, 'here'), sha256)
  const error = { code: 'ERR_MILLRACE_DIGEST', expected: 'other', found: sha256 }
  await t.rejects(digestOf(new Body(data), { sha256: 'other' }, 'here'), { ...error, url: sha256 })
  await t.rejects(digestOf(new Body(data), { sha256: 'other', url: 'https://x.example/' }, 'here'), {
    ...error,
    url: 'https://x.example/'
  })
})

t.test('a body that is gone', async t => {
  const body = new Body({ path: '/nowhere/x', size: 1 })
  await t.rejects(digestOf(body, {}, 'here'), { code: 'ERR_MILLRACE_STORE', path: '/nowhere/x' })
  body.take()
  await t.rejects(digestOf(body, {}, 'here'), { code: 'ERR_MILLRACE_STORE', path: 'here' })
})

t.test('bytes that end with an error where they are wrong', async t => {
  t.strictSame(await buffer(checkedBytes(new Body(data), sha256)), data)
  const bytes = checkedBytes(new Body(data), 'other')
  t.strictSame((await bytes.next()).value, data)
  await t.rejects(bytes.next(), { code: 'ERR_MILLRACE_DIGEST', expected: 'other', found: sha256 })
})
