import t from 'tap'
import { packageTypesFilter } from '../../../lib/filter/package-types.js'
import { makePackage } from '../../helpers/package.js'

const FILES = ['x-1.zip', 'x-1-py3-none-any.whl', 'x-1-py2.7.egg', 'x-1.win32.exe', 'README']

t.test('the kinds that are asked for stay', async t => {
  const kept = (...packageTypes: ('sdist' | 'bdist_wheel' | 'unknown')[]): string[] =>
    FILES.filter(file => packageTypesFilter({ packageTypes })?.keeps(makePackage('x', file)) ?? true)
  t.strictSame(kept('sdist'), ['x-1.zip'])
  t.strictSame(kept('bdist_wheel', 'unknown'), ['x-1-py3-none-any.whl', 'README'])
  t.strictSame(kept(), FILES)
  t.equal(packageTypesFilter({}), undefined)
})

t.test('bad options', async t => {
  for (const packageTypes of ['sdist', ['wheel'], [undefined]] as unknown as ['sdist'][])
    t.throws(() => packageTypesFilter({ packageTypes }), {
      code: 'ERR_MILLRACE_OPTION',
      option: 'packageTypes'
    })
})
