import t from 'tap'
import { formatRequirement, parseRequirement } from '../../../lib/pypi/requirement.js'
import { formatSpecifier } from '../../../lib/pypi/specifier.js'

t.test('the parts of a requirement', async t => {
  const full = parseRequirement(
    ' Foo.Bar [ x, y_z ] ( >= 1.0 , != 1.5.* ) ; python_version < "3.9" ',
    'requirements.txt:7'
  )
  t.match(full, {
    name: 'Foo.Bar',
    project: 'foo-bar',
    extras: ['x', 'y_z'],
    url: undefined,
    where: 'requirements.txt:7',
    marker: { operator: '<' }
  })
  t.strictSame(full.specifiers.map(formatSpecifier), ['>=1.0', '!=1.5.*'])
  t.strictSame(parseRequirement('six'), {
    name: 'six',
    project: 'six',
    extras: [],
    specifiers: [],
    url: undefined,
    marker: undefined,
    where: undefined
  })
  t.match(parseRequirement('pip @ https://example.org/pip-1.0.zip#egg=pip;x ; os_name == "nt"'), {
    url: 'https://example.org/pip-1.0.zip#egg=pip;x',
    marker: {}
  })
  t.match(parseRequirement('pip@file:///x.whl '), { url: 'file:///x.whl', marker: undefined })
})

t.test('the same requirement in other words', async t => {
  for (const [text, normal] of [
    ['a[]', 'a'],
    ['A_b[Y.z,x]<2,>=1', 'a-b[x,y-z]<2,>=1'],
    ['a===1;x', undefined],
    ['a===1.0.whatever', 'a===1.0.whatever'],
    ['a~=1.0,', 'a~=1.0'],
    ['a==1!2.0', 'a==1!2.0'],
    ['a;extra=="x"', 'a; extra == "x"'],
    ['a @ u:v ;extra=="x"', 'a @ u:v ; extra == "x"']
  ] as const)
    if (normal === undefined) t.throws(() => parseRequirement(text))
    else t.equal(formatRequirement(parseRequirement(text)), normal, text)
})

t.test('what PEP 508 does not allow, and at which character', async t => {
  for (const [text, position] of [
    ['', 0],
    ['-e .', 0],
    ['==1.0', 0],
    ['shelf-reader$3', 12],
    ['a b', 2],
    ['a 1.0', 2],
    ['a[x', 3],
    ['a[x y]', 3],
    ['a[x,]', 4],
    ['a (>=1.0', 8],
    ['a>=1 <2', 5],
    ['a>=1;', 5],
    ['a; os_name == "x" b', 18],
    ['a @ ', 4],
    ['a @ u: b', 7],
    ['a>=1\n', 4],
    ['a>=1.*', 1],
    ['a===x,y', 1]
  ] as const)
    t.throws(
      () => parseRequirement(text, 'F:1'),
      { code: 'ERR_MILLRACE_REQUIREMENT', requirement: text, position, where: 'F:1' },
      text
    )
})
