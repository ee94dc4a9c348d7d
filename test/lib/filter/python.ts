import t from 'tap'
import { pythonFilter } from '../../../lib/filter/python.js'
import { makePackage } from '../../helpers/package.js'

const keeps = (python: string, filename: string, requiresPython?: string): boolean | undefined =>
  pythonFilter({ python })?.keeps(makePackage('x', filename, { requiresPython }))

t.test('sdists by requires-python', async t => {
  for (const [requires, good, bad] of [
    [undefined, '2.7 3.11', ''],
    ['', '2.7 3.11', ''],
    ['>=3.8', '3.8 3.11 3.8.0', '3.7 2.7'],
    ['>=3.8.5', '3.8 3.8.5 3.9', '3.8.4'],
    ['<3.11', '3.10', '3.11 3.11.0'],
    ['<=3.11', '3.11 3.11.0', '3.11.1 3.12'],
    ['>3.11', '3.11 3.11.1 3.12', '3.11.0 3.10'],
    ['!=3.11.*,>=3', '3.10', '3.11 3.11.4'],
    ['==3.11.4', '3.11 3.11.4', '3.11.5'],
    ['>=3.13.0rc1', '3.13', '3.12'],
    ['>=3.9.*', '3.9', '3.8'],
    ['~=3', '2.7 3.11', '']
  ] as const) {
    for (const python of good.split(' '))
      t.ok(keeps(python, 'x-1.zip', requires), `${requires} with ${python}`)
    for (const python of bad === '' ? [] : bad.split(' '))
      t.notOk(keeps(python, 'x-1.zip', requires), `${requires} not with ${python}`)
  }
})

t.test('wheels by their tags too, older kinds by their names', async t => {
  for (const [filename, expected] of [
    ['x-1-cp311-cp311-win32.whl', true],
    ['x-1-cp310-cp310-win32.whl', false],
    ['x-1-cp39-abi3-win32.whl', true],
    ['x-1-py2.py3-none-any.whl', true],
    ['x-1-py2-none-any.whl', false],
    ['x-1-pp311-pypy311_pp73-win32.whl', true],
    ['broken.whl', true],
    ['x-1-py3.11.egg', true],
    ['x-1-py3.10-win32.egg', false],
    ['x-1-py3.egg', true],
    ['x-1-py2.egg', false],
    ['x-1.win32-py2.7.exe', false],
    ['x-1.win32.exe', true],
    ['x-1-1.noarch.rpm', true],
    ['README', true]
  ] as const)
    t.equal(keeps('3.11', filename, '>=2.7'), expected, filename)
  t.notOk(keeps('3.11', 'x-1-py3-none-any.whl', '>=3.12'), 'both must agree')
})

t.test('an index with ever new texts is not remembered for ever', async t => {
  const filter = pythonFilter({ python: '3.11' })
  for (let n = 0; n < 10_002; n++)
    if (!filter?.keeps(makePackage('x', 'x-1.zip', { requiresPython: `>=3.0.${n}` }))) t.fail(String(n))
})

t.test('bad options', async t => {
  t.equal(pythonFilter({}), undefined)
  for (const python of ['3', '', 'py311', '>=3.11', '3.11.4.1', 3.11 as unknown as string])
    t.throws(() => pythonFilter({ python }), { code: 'ERR_MILLRACE_OPTION', option: 'python' })
})
