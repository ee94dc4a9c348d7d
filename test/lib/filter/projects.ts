import t from 'tap'
import { normalizeName, parseRequirement, selectProjects } from '../../../lib/filter/projects.js'

t.test('without includes every project is wanted', async t => {
  const selection = selectProjects({})
  t.equal(selection.names, undefined)
  t.ok(selection.admits('anything'))
  t.equal(selectProjects({ includes: [], excludes: undefined }).names, undefined)
})

t.test('includes name the projects, each once, normalised, in their order', async t => {
  const selection = selectProjects({
    includes: ['Foo.Bar>1', 'numpy', 'foo_bar<1', parseRequirement('six[x]')]
  })
  t.strictSame(selection.names, ['foo-bar', 'numpy', 'six'])
  t.ok(selection.admits(normalizeName('FOO.bar')))
  t.notOk(selection.admits('scipy'))
})

t.test('an exclude without a specifier takes out the project, one with a specifier does not', async t => {
  const excludes = ['Numpy', 'scipy<1', 'six; python_version < "3"', 'attrs[extra]']
  const selection = selectProjects({ includes: ['numpy', 'scipy', 'six', 'attrs', 'wheel'], excludes })
  t.strictSame(selection.names, ['scipy', 'wheel'])
  t.notOk(selection.admits('numpy'))
  const all = selectProjects({ excludes })
  t.equal(all.names, undefined)
  t.notOk(all.admits('six'), 'markers do not narrow an exclude')
  t.ok(all.admits('scipy'))
  t.ok(all.admits('unheard-of'))
})

t.test('what cannot be read is refused', async t => {
  t.throws(() => selectProjects({ includes: ['shelf-reader$3'] }), { code: 'ERR_MILLRACE_REQUIREMENT' })
  t.throws(() => selectProjects({ excludes: [''] }), { code: 'ERR_MILLRACE_REQUIREMENT' })
  // @ts-expect-error not an array
  t.throws(() => selectProjects({ includes: 'numpy' }), { code: 'ERR_MILLRACE_OPTION', option: 'includes' })
})
