import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PublishFolder, wrapped } from '../../../lib/publish/folder.js'

const state = { format: 1, repository: 'pypi', createdAt: '2026-01-01T00:00:00Z', version: 1, fetchedRun: 1 }

t.test('one tree after the other', async t => {
  const directory = join(t.testdir(), 'a', 'b')
  const first = await PublishFolder.open(directory)
  t.equal(first.state, undefined)
  await t.rejects(PublishFolder.open(directory), { code: 'ERR_MILLRACE_PUBLISH' }, 'one at a time')
  await first.write('x', { 'index.html': 'one' })
  await first.use(state)
  await first.close()
  t.equal(readFileSync(join(directory, 'simple/x/index.html'), 'utf8'), 'one')

  const second = await PublishFolder.open(directory)
  t.strictSame(second.state, state)
  await second.keep('x', ['index.html'])
  await second.write('y', { 'index.html': 'two' })
  t.throws(() => readFileSync(join(directory, 'simple/y/index.html')), 'not yet')
  await second.use({ ...state, version: 2 })
  await second.close()
  t.strictSame(readdirSync(join(directory, 'simple')).sort(), ['x', 'y'])
  const third = await PublishFolder.open(directory)
  t.equal(third.state?.version, 2)
  await third.write('z', {})
  await third.close()
  const [tree] = readdirSync(join(directory, '.millrace'), { withFileTypes: true }).filter(entry =>
    entry.isDirectory()
  )
  t.ok(tree)

  symlinkSync('nowhere', join(directory, '.millrace/1-x.link'))
  rmSync(join(directory, 'simple', '..', 'state.json'), { force: true })
  const fourth = await PublishFolder.open(directory)
  const left = readdirSync(join(directory, '.millrace')).filter(name => !name.startsWith('publish-lock'))
  t.strictSame(left.length, 1, left.join())
  await fourth.close()
})

t.test('a tree without its state is one to begin anew from', async t => {
  const directory = t.testdir()
  const folder = await PublishFolder.open(directory)
  await folder.write('x', {})
  await folder.use(state)
  await folder.close()
  const [tree] = readdirSync(join(directory, '.millrace'), { withFileTypes: true }).filter(entry =>
    entry.isDirectory()
  )
  rmSync(join(directory, '.millrace', String(tree?.name), 'state.json'))
  const again = await PublishFolder.open(directory)
  t.equal(again.state, undefined)
  await again.close()
})

t.test('what is not ours stays as it is', async t => {
  const directory = t.testdir({ simple: { 'index.html': 'mine' } })
  await t.rejects(PublishFolder.open(directory), { code: 'ERR_MILLRACE_PUBLISH', directory })
  const linked = t.testdir({ other: {} })
  symlinkSync('other', join(linked, 'simple'))
  await t.rejects(PublishFolder.open(linked), { code: 'ERR_MILLRACE_PUBLISH' })
  const file = join(t.testdir(), 'file')
  writeFileSync(file, '')
  await t.rejects(PublishFolder.open(file), { code: 'ERR_MILLRACE_PUBLISH', directory: file })
  const loop = t.testdir()
  mkdirSync(join(loop, '.millrace'))
  await t.rejects(
    wrapped(loop, async () => {
      throw new TypeError('ours')
    }),
    { message: 'ours' }
  )
})
