import t from 'tap'
import { parseSpecifiers } from '../../../lib/pypi/specifier.js'
import { contradict } from '../../../lib/pypi/specifier-conflict.js'

t.test('specifiers that no version meets', async t => {
  for (const text of [
    '>2,<1',
    '>=2,<2',
    '>2,<=2',
    '==1,!=1',
    '==1.*,>=2',
    '~=1.4,<1.4',
    '!=1.*,>=1,<2',
    '<0',
    '<0.dev0',
    '!=0.*,<0.5',
    '>1,<=1.post2',
    '>1,<1.post5',
    '>1a1,<1a2.dev0',
    '>1.dev1,<1.dev2',
    '>1.post1,<1.post2.dev0',
    '>=1a1,<1',
    '==1+a,!=1+a',
    '===odd,>=0',
    '===1.0,===2.0',
    '==1!1,<1',
    '>9007199254740993,<9007199254740993.post7'
  ])
    t.ok(contradict(parseSpecifiers(text)), text)
})

t.test('specifiers that some version meets', async t => {
  for (const text of [
    '',
    '>1',
    '>1,<1.0.0.1',
    '>1a1,<1a2',
    '>1a1.post1,<1a2.dev0',
    '>1.dev1,<1.dev3',
    '>1.post1,<1.post3',
    '!=1.*,<2',
    '!=1,>=1,<1.post1',
    '!=1.dev0,<1.dev2,>=1.dev0',
    '==1+a,!=1+b',
    '==1,!=1+a',
    '==1.*,!=1.0',
    '<0.dev1',
    '===odd,===ODD',
    '===1.01,>=1.1',
    '>=1!0,!=1!0',
    '>9007199254740993a9007199254740993,<9007199254740994'
  ])
    t.notOk(contradict(parseSpecifiers(text)), text)
})
