import { createHash } from 'node:crypto'
import t from 'tap'
import { expectedDigest } from '../../../lib/http/digest.js'

t.test('the strongest that can be computed is checked, whatever their order', async t => {
  t.strictSame(expectedDigest({ md5: 'AA', sha256: 'BB', sha1: 'CC' }), {
    algorithm: 'sha256',
    nodeAlgorithm: 'sha256',
    value: 'bb'
  })
  t.match(expectedDigest({ md5: 'aa', sha512: 'bb' }), { algorithm: 'sha512' })
  t.match(expectedDigest({ blake2b_256: 'aa', md5: 'bb' }), { algorithm: 'md5' })
})

t.test('none, where there is none or none that can be computed', async t => {
  t.equal(expectedDigest(undefined), undefined)
  t.equal(expectedDigest({}), undefined)
  t.equal(expectedDigest({ blake2b_256: 'aa' }), undefined)
  t.equal(expectedDigest({ sha256: '' }), undefined)
  // As a caller without types might have it from a database.
  t.equal(expectedDigest({ sha256: null } as never), undefined)
})

t.test("every name is one that this Node's crypto knows", async t => {
  for (const name of [
    'sha256',
    'sha512',
    'sha384',
    'sha3_512',
    'sha3_384',
    'sha3_256',
    'blake2b',
    'blake2s',
    'sha224',
    'sha1',
    'md5'
  ]) {
    const found = expectedDigest({ [name]: 'aa' })
    t.equal(found?.algorithm, name)
    t.doesNotThrow(() => createHash(String(found?.nodeAlgorithm)))
  }
})
