import t from 'tap'
import { formatSpecifier } from '../../../lib/pypi/specifier.js'
import { readSpecifiers } from '../../../lib/pypi/specifier-repair.js'

/** As published, as read, how many repairs. */
const CASES: readonly (readonly [string, string, number])[] = [
  ['>=3.8', '>=3.8', 0],
  ['', '', 0],
  ['>=2.7, !=3.0.*,', '>=2.7,!=3.0.*', 0],
  ['>=3.7<4', '>=3.7,<4', 1],
  ['>=3.7 <4 !=3.9.1', '>=3.7,<4,!=3.9.1', 1],
  ['!=3.0.* !=3.1.*', '!=3.0.*,!=3.1.*', 1],
  ['!=~3.5,>=3.2', '!=3.5.*,>=3.2', 1],
  ['>=3.5.*', '>=3.5', 1],
  ['>=2.7,<3.4.*', '>=2.7,<3.4', 1],
  ['> 3.*', '>3', 1],
  ['>=2.7,!=3.0*,!=3.1*', '>=2.7,!=3.0.*,!=3.1.*', 1],
  ['>=2.6*', '>=2.6.*', -1],
  ['>dev', '>0.dev0', 1],
  ['>=9.0.0a1.0', '>=9.0.0a1', 1],
  [">= '3.6'", '>=3.6', 1],
  ['>=3.6"', '>=3.6', 1],
  [">=2.7, !=3.0.*, !=3.1.*', !=3.2.*'", '>=2.7,!=3.0.*,!=3.1.*,!=3.2.*', 1],
  ['">=3.6<4"', '>=3.6,<4', 2]
]

t.test('what the index holds is read', async t => {
  for (const [text, expected, repairs] of CASES) {
    const found = readSpecifiers(text)
    if (repairs < 0) {
      t.equal(found, undefined, text)
      continue
    }
    t.equal(found?.specifiers.map(formatSpecifier).join(','), expected, text)
    t.equal(found?.repairs.length, repairs, `${text}: ${found?.repairs.join('; ')}`)
  }
})

t.test('what cannot be read is said to be so', async t => {
  for (const text of ['3.6', '=>3.6', '>=three', '>=18.5decorator', 'Python 3', '~=3', '>='])
    t.equal(readSpecifiers(text), undefined, text)
})
