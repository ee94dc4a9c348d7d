import t from 'tap'
import { parseSpecifiers } from '../../../lib/pypi/specifier.js'
import { chooseVersions } from '../../../lib/pypi/specifier-policy.js'

const choose = (specifiers: string, versions: string, prereleases?: boolean): string =>
  chooseVersions(parseSpecifiers(specifiers), versions.split(' '), prereleases).join(' ')

t.test('pre-releases by the policy of PEP 440', async t => {
  t.equal(choose('>=1', '2a1 1.0 0.9'), '1.0', 'left out')
  t.equal(choose('>=1', '2a1 0.9'), '2a1', 'unless there is nothing else')
  t.equal(choose('>=1a1', '2a1 1.0'), '2a1 1.0', 'unless a specifier names one')
  t.equal(choose('!=1a1', '2a1 1.0'), '1.0', 'which != does not')
  t.equal(choose('', '2a1 1.0'), '1.0')
})

t.test('pre-releases as they are asked for', async t => {
  t.equal(choose('>=1', '2a1 1.0', true), '2a1 1.0')
  t.equal(choose('>=1a1', '2a1', false), '')
})

t.test('what PEP 440 does not allow is chosen by === only', async t => {
  t.equal(choose('===odd', 'odd 1.0'), 'odd')
  t.equal(choose('>=1', 'odd 1.0'), '1.0')
})
