import t from 'tap'
import { isNormalizedName, isValidName, normalizeName } from '../../../lib/pypi/name.js'

t.test('a name has one normal form', async t => {
  for (const name of ['Zope.Interface', 'zope_interface', 'ZOPE-interface', 'zope-._interface'])
    t.equal(normalizeName(name), 'zope-interface')
  t.equal(normalizeName('numpy'), 'numpy')
  t.equal(normalizeName('a--b'), 'a-b')
  t.equal(normalizeName('_private_'), '-private-', 'an invalid name too')
})

t.test('valid names', async t => {
  for (const name of ['a', '7', 'A.b-C_d9', 'x--y']) t.ok(isValidName(name), name)
  for (const name of ['', '-a', 'a.', '_a', 'a b', 'ä', 'a\n', 'a/b'])
    t.notOk(isValidName(name), JSON.stringify(name))
})

t.test('names in normal form', async t => {
  for (const name of ['a', 'zope-interface', '2to3']) t.ok(isNormalizedName(name), name)
  for (const name of ['A', 'a.b', 'a--b', '-a', 'a-', 'a\n'])
    t.notOk(isNormalizedName(name), JSON.stringify(name))
})
