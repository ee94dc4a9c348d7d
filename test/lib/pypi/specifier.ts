import t from 'tap'
import { formatSpecifier, meets, parseSpecifier, parseSpecifiers } from '../../../lib/pypi/specifier.js'
import { parseVersion } from '../../../lib/pypi/version.js'

const check = (specifiers: string, version: string): boolean =>
  meets(parseSpecifiers(specifiers), parseVersion(version), version)

/** Specifiers, versions that meet them, versions that do not. */
const CASES: readonly (readonly [string, string, string])[] = [
  ['', '1.0 2.0rc1 nonsense', ''],
  ['==1.2', '1.2 1.2.0 01.2 1.2+local', '1.2.1 1.2rc1 1.2.post1 1!1.2 nonsense'],
  ['==1.2+abc', '1.2+ABC 1.2.0+abc', '1.2 1.2+abd'],
  ['==1.2.*', '1.2 1.2.9 1.2rc1 1.2.dev0 1.2.post5 1.2+x', '1.20 1.3 1 1!1.2 nonsense'],
  ['==1.0.*', '1 1rc1 1.0.5', '1.1'],
  ['!=1.2', '1.2.1 1.2rc1', '1.2 1.2.0 1.2+local nonsense'],
  ['!=1.2.*', '1.3 1', '1.2 1.2rc1 nonsense'],
  ['<=1.2', '1.2 1.2+local 1.1 1.2rc1', '1.2.1 1.2.post1'],
  ['>=1.2', '1.2 1.2+local 1.2.post1 2rc1', '1.2rc1 1.1'],
  ['<1.2', '1.1 1.1.post9 1.1rc1', '1.2 1.2rc1 1.2.dev0 1.2+local'],
  ['<1.2rc2', '1.2rc1 1.2rc2.dev1', '1.2rc2 1.2'],
  ['<1.2.post1', '1.2 1.2rc1 1.2.post0 1.2.post0.dev1', '1.2.post1 1.2.post1.dev0'],
  ['>1.2', '1.2.1 1.3rc1', '1.2 1.2+local 1.2.post1 1.2.post1.dev2 1.2rc1'],
  ['>1.2rc1', '1.2 1.2rc2 1.2.post1 1.2+local', '1.2rc1 1.2rc1.post1'],
  ['>1.2.post1', '1.2.post2 1.3', '1.2.post1 1.2.post1+local 1.2'],
  ['~=1.4.5', '1.4.5 1.4.9 1.4.5.post1 1.4.6rc1', '1.4.4 1.5 1.4.5rc1 1!1.4.6'],
  ['~=1.4', '1.4 1.99', '1.3 2.0 2.0rc1'],
  ['~=1!2.2', '1!2.3', '2.3'],
  ['===1.0', '1.0', '1.0.0 1 1.0+local'],
  ['===2004d', '2004d 2004D', '2004 2004d.1'],
  ['>=1, <2 ,!=1.5', '1 1.9', '1.5 2 0.9']
]

t.test('which versions meet which specifiers', async t => {
  for (const [specifiers, good, bad] of CASES) {
    for (const version of good.split(' ')) t.ok(check(specifiers, version), `${version} meets ${specifiers}`)
    for (const version of bad === '' ? [] : bad.split(' '))
      t.notOk(check(specifiers, version), `${version} not ${specifiers}`)
  }
  t.ok(check('==00000000000000001.*', '1.5'), 'long zeros change nothing')
})

t.test('what is no specifier', async t => {
  const refused = [
    '1.0',
    '=1.0',
    '=>1.0',
    '==',
    '== 1 2',
    '==1.x',
    '>=1.*',
    '~=1',
    '~=1.0.*',
    '==1rc1.*',
    '==1.post1.*',
    '==1.dev1.*'
  ]
  for (const text of [...refused, '==1.0+x.*', '>=1.0+x', '<1+x', '~=1.0+x', '===a;b', '===a)', '>=1,2'])
    t.throws(() => parseSpecifiers(text), { code: 'ERR_MILLRACE_REQUIREMENT' }, text)
  t.throws(() => parseSpecifier(''), { code: 'ERR_MILLRACE_REQUIREMENT', requirement: '' })
})

t.test('specifiers are written without white space', async t => {
  t.strictSame(parseSpecifiers(' >= 1.0 , == 2.* ,, === x').map(formatSpecifier), ['>=1.0', '==2.*', '===x'])
})
