import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Catalog } from '../../../lib/catalog/catalog.js'
import { type PublishOptions, publish } from '../../../lib/publish/publish.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { type Page, serveSetup } from '../../helpers/serve.js'
import { addProject, type SyncSetup, syncSetup } from '../../helpers/sync.js'
import { wheelOf } from '../../helpers/zip.js'

async function published(t: Test) {
  const setup = await syncSetup(t)
  const directory = join(t.testdirName, 'www')
  const { catalog, store } = setup
  const run = (options: Partial<PublishOptions> = {}) => publish({ directory, catalog, store, ...options })
  const at = (...path: string[]) => join(directory, ...path)
  const read = (...path: string[]) => readFileSync(at(...path), 'utf8')
  const page = (name: string) => JSON.parse(read('simple', name, 'index.json')) as Page
  return { setup, directory, run, at, read, page }
}

/** All files below a folder, `simple` included, with their inode numbers. */
function tree(directory: string): Map<string, number> {
  const names = readdirSync(join(directory, 'simple'), { recursive: true, encoding: 'utf8' })
  const pages = names.map(name => join('simple', name))
  const files = existsSync(join(directory, 'files'))
    ? readdirSync(join(directory, 'files'), { recursive: true, encoding: 'utf8' }).map(name =>
        join('files', name)
      )
    : []
  return new Map(
    [...pages, ...files]
      .filter(name => statSync(join(directory, name)).isFile())
      .sort()
      .map(name => [name, statSync(join(directory, name)).ino])
  )
}

function addWheel({ index }: SyncSetup, ...versions: string[]): void {
  index.index.add({
    name: 'wheel',
    files: versions.map(version => {
      const { filename, content, metadata } = wheelOf('wheel', version)
      const path = `/files/packages/${filename}`
      const digest = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
      index.route(path, { body: content })
      index.route(`${path}.metadata`, { body: metadata })
      return {
        ...{ filename, path, size: content.length },
        hashes: { sha256: digest(content) },
        coreMetadata: { sha256: digest(metadata) }
      }
    })
  })
}

t.test('the same pages as the server has, and the files beside them', async t => {
  const { setup, directory, run, read, at, page } = await published(t)
  addProject(setup.index, 'Demo', '1.0', '2.0')
  addWheel(setup, '1.0')
  await setup.run({ policy: 'immediate' })
  const report = await run()
  t.match(report, {
    ...{ repository: 'pypi', version: 1, changed: true },
    projects: { written: 2, kept: 0 },
    files: { placed: 3, removed: 0, upstream: 0 }
  })
  const { get, server } = await serveSetup(t, setup)
  for (const [format, accept] of [
    ['index.html', 'text/html'],
    ['index.json', 'application/json']
  ] as const)
    for (const path of ['', 'demo/', 'wheel/'])
      t.equal(read('simple', path, format), (await get(`/simple/${path}`, { accept })).text, path + format)
  await server.close()
  for (const name of ['demo', 'wheel'])
    for (const { url, hashes, filename } of page(name).files) {
      const content = readFileSync(join(directory, 'simple', name, url))
      t.equal(createHash('sha256').update(content).digest('hex'), (hashes as { sha256: string }).sha256)
      t.ok(url.endsWith(filename))
    }
  const [wheel] = page('wheel').files
  t.equal(
    readFileSync(`${at('simple', 'wheel', wheel?.url as string)}.metadata`, 'utf8'),
    wheelOf('wheel', '1.0').metadata
  )
  t.ok(lstatSync(at('simple')).isSymbolicLink())
})

t.test('what did not change is not touched', async t => {
  const { setup, directory, run, page, at } = await published(t)
  addProject(setup.index, 'a', '1.0')
  addProject(setup.index, 'b', '1.0', '2.0')
  addProject(setup.index, 'c', '1.0')
  await setup.run({ policy: 'immediate', mirror: true })
  await run()
  const before = tree(directory)
  t.match(await run(), { changed: false, projects: { written: 0, kept: 0 } })
  t.strictSame(tree(directory), before)

  addProject(setup.index, 'b', '2.0', '3.0')
  addProject(setup.index, 'd', '1.0')
  setup.index.index.remove('c')
  await setup.run({ policy: 'immediate', mirror: true, maxRemovals: 1 })
  const second = await run()
  t.match(second, {
    ...{ changed: true, version: 2 },
    projects: { written: 2, kept: 1 },
    files: { placed: 2, removed: 2 }
  })
  const after = tree(directory)
  const names = [...after.keys()]
  for (const [name, inode] of after)
    if (/(simple|files)\/a\//.test(name) || /b-2\.0/.test(name)) t.equal(inode, before.get(name), name)
  t.notMatch(names.join(), /\/c\/|b-1\.0/)
  t.match(names.join(), /simple\/d\/index\.html/)
  t.strictSame(page('b').versions, ['2.0', '3.0'])
  t.strictSame(readdirSync(at('files')).sort(), ['a', 'b', 'd'])

  t.match(await run({ version: 1 }), { version: 1, projects: { kept: 1 } }, 'an older version')
  t.strictSame(page('b').versions, ['1.0', '2.0'])
  t.match(await run({ full: true }), { version: 2, projects: { written: 3, kept: 0 } })
  t.strictSame([...tree(directory).keys()], names)
  t.equal(readdirSync(at('.millrace')).length, 2, 'the tree in use, and the lock')
})

t.test('what the store has not is linked to where it comes from', async t => {
  for (const policy of ['on-demand', 'streamed'] as const) {
    t.test(policy, async t => {
      const { setup, run, page, at, read } = await published(t)
      addWheel(setup, '1.0')
      await setup.run({ policy })
      t.match(await run(), { files: { placed: 0, upstream: 1 } })
      const [file] = page('wheel').files
      t.equal(file?.url, `${setup.index.origin}/files/packages/wheel-1.0-py3-none-any.whl`)
      t.match(read('simple', 'wheel', 'index.html'), `href="${file?.url}#sha256=`)
      t.ok(file?.['core-metadata'])
      t.notOk(existsSync(at('files')))
    })
  }
})

t.test('quarantine, and its end', async t => {
  const { setup, run, page, at } = await published(t)
  addProject(setup.index, 'a', '1.0')
  await setup.run({ policy: 'immediate' })
  await run()
  setup.index.index.add({ name: 'a', status: 'quarantined', files: [] })
  await setup.run({ policy: 'immediate' })
  t.match(await run(), { version: 1, changed: true, files: { removed: 1 } })
  t.match(page('a'), { files: { length: 0 }, 'project-status': { status: 'quarantined' } })
  t.strictSame(readdirSync(at('files')), [])
  addProject(setup.index, 'a', '1.0')
  await setup.run({ policy: 'immediate' })
  t.match(await run(), { files: { placed: 1 } })
  t.equal(page('a').files.length, 1)
})

t.test('another repository, or one made anew, in the same folder', async t => {
  const { setup, run, page } = await published(t)
  addProject(setup.index, 'a', '1.0')
  await setup.run({ policy: 'immediate' })
  await run()
  addProject(setup.index, 'a', '2.0')
  await setup.run({ policy: 'immediate', repository: 'other' })
  t.match(await run({ repository: 'other' }), {
    repository: 'other',
    projects: { written: 1 },
    files: { placed: 1, removed: 1 }
  })
  t.strictSame(page('a').versions, ['2.0'])
  await t.rejects(run({ repository: 'none' }), { code: 'ERR_MILLRACE_CATALOG' })
  await t.rejects(run({ version: 9 }), { code: 'ERR_MILLRACE_CATALOG' })
})

t.test('versions that are forgotten are gone on from all the same', async t => {
  const { setup, run, page } = await published(t)
  addProject(setup.index, 'a', '1.0')
  await setup.run({ policy: 'immediate' })
  await run()
  for (const version of ['2.0', '3.0']) {
    addProject(setup.index, 'a', version)
    await setup.run({ policy: 'immediate' })
  }
  const catalog = await Catalog.open(setup.catalog)
  t.teardown(() => catalog.close())
  const keeper = await catalog.beginRun({ repository: 'pypi' })
  await keeper.forgetVersions(1)
  await keeper.finish('done')
  t.match(await run({ catalog, store: new DirectoryStore(setup.store) }), {
    projects: { written: 1, kept: 0 }
  })
  t.strictSame(page('a').versions, ['1.0', '2.0', '3.0'])
})

t.test('a publication that is stopped, or that fails, changes nothing', async t => {
  const { setup, directory, run, at } = await published(t)
  addProject(setup.index, 'a', '1.0')
  await setup.run({ policy: 'immediate' })
  await run()
  const before = tree(directory)
  const link = readlinkSync(at('simple'))
  addProject(setup.index, 'b', '1.0')
  await setup.run({ policy: 'immediate' })
  await t.rejects(run({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  const controller = new AbortController()
  class Stopping extends DirectoryStore {
    override size(sha256: string) {
      controller.abort()
      return super.size(sha256)
    }
  }
  await t.rejects(run({ store: new Stopping(setup.store), signal: controller.signal }), {
    name: 'AbortError'
  })
  addProject(setup.index, 'c', '1.0')
  await setup.run({ policy: 'immediate' })
  class Failing extends DirectoryStore {
    override size(sha256: string) {
      return new DirectoryStore(setup.store).size(sha256)
    }
    override pathOf(): string {
      return '/nowhere/at/all'
    }
  }
  await t.rejects(run({ store: new Failing(setup.store), full: true, link: 'copy' }), {
    code: /^ERR_MILLRACE_(PUBLISH|STORE)$/
  })
  t.equal(readlinkSync(at('simple')), link)
  for (const [name, inode] of before) t.equal(tree(directory).get(name), inode)
  t.match(await run(), { projects: { written: 2, kept: 1 } })
  t.equal(readdirSync(at('.millrace')).length, 2, 'what they left is gone')
})

t.test('options that cannot be', async t => {
  const directory = join(t.testdir(), 'www')
  for (const [options, option] of [
    [{ directory: '' }, 'directory'],
    [{ repository: '' }, 'repository'],
    [{ link: 'none' as never }, 'link'],
    [{ version: -1 }, 'version']
  ] as const)
    await t.rejects(publish({ directory, ...options }), { code: 'ERR_MILLRACE_OPTION', option })
  await t.rejects(publish({ directory, catalog: join(t.testdirName, 'none.db') }), {
    code: 'ERR_MILLRACE_CATALOG'
  })
  writeFileSync(directory, 'a file')
})
