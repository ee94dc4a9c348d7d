import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Body } from '../../../lib/http/body.js'
import { PublishFolder } from '../../../lib/publish/folder.js'
import { entries, placeFiles, pruneFiles } from '../../../lib/publish/place-files.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { indexed } from '../../helpers/indexed.js'
import { wheelOf } from '../../helpers/zip.js'

async function setUp(t: Test) {
  const store = new DirectoryStore(join(t.testdir(), 'store'))
  const folder = await PublishFolder.open(join(t.testdirName, 'www'))
  t.teardown(() => folder.close())
  const { filename, content, metadata } = wheelOf('demo', '1.0')
  const sha256 = createHash('sha256').update(content).digest('hex')
  await store.put(new Body(content, { sha256 }))
  const core = { sha256: createHash('sha256').update(metadata).digest('hex') }
  const wheel = indexed(filename, { digests: { sha256 }, size: content.length, coreMetadata: core })
  const path = folder.file('demo', sha256, filename)
  return { store, folder, wheel, path, content, metadata }
}

t.test('each way of placing a file', async t => {
  for (const kind of ['hard', 'symbolic', 'copy'] as const) {
    t.test(kind, async t => {
      const { store, folder, wheel, path, content, metadata } = await setUp(t)
      const { placed, local, files } = await placeFiles(folder, store, [wheel], kind)
      t.equal(placed, 1)
      t.strictSame([...local], files)
      t.strictSame(readFileSync(path), content)
      t.equal(readFileSync(`${path}.metadata`, 'utf8'), metadata)
      t.equal(lstatSync(path).isSymbolicLink(), kind === 'symbolic')
      const stored = store.pathOf(String(wheel.digests.sha256))
      t.equal(statSync(path).ino === statSync(stored).ino, kind !== 'copy')
      t.equal((await placeFiles(folder, store, [wheel], kind)).placed, 0, 'it is there')
    })
  }
})

t.test('where the file system has no second names, it is a copy', async t => {
  const refuse = (code: string) =>
    t.mockImport<typeof import('../../../lib/publish/place-files.js')>(
      '../../../lib/publish/place-files.js',
      {
        'node:fs/promises': {
          ...fs,
          link: async () => Promise.reject(Object.assign(new Error(code), { code }))
        }
      }
    )
  const { store, folder, wheel, path, content } = await setUp(t)
  await t.rejects((await refuse('EIO')).placeFiles(folder, store, [wheel], 'hard'), { code: 'EIO' })
  const across = await refuse('EXDEV')
  t.equal((await across.placeFiles(folder, store, [wheel], 'hard')).placed, 1)
  t.strictSame(readFileSync(path), content)
})

t.test('what a page must not promise', async t => {
  const { store, folder, wheel } = await setUp(t)
  const core = async (more: object) => {
    const { files, local } = await placeFiles(folder, store, [{ ...wheel, ...more }], 'hard')
    return [files[0]?.coreMetadata, local.size]
  }
  t.strictSame(await core({ coreMetadata: true }), [true, 1])
  t.strictSame(await core({ coreMetadata: { md5: 'x' } }), [{ md5: 'x' }, 1])
  t.strictSame(await core({ coreMetadata: { sha256: 'another' } }), [false, 1])
  t.strictSame(await core({ project: 'another', coreMetadata: true }), [false, 1])
  t.strictSame(await core({ coreMetadata: false }), [false, 1])
  t.strictSame(await core({ size: 1, coreMetadata: true }), [true, 0], 'damaged in the store')
  t.strictSame(await core({ digests: {} }), [wheel.coreMetadata, 0], 'not known to be in the store')
  t.strictSame(await core({ digests: {}, size: undefined, file: wheel.digests.sha256 }), [
    wheel.coreMetadata,
    1
  ])
})

t.test('what pages no longer speak of goes', async t => {
  const { store, folder, wheel } = await setUp(t)
  await placeFiles(folder, store, [wheel, { ...wheel, digests: {}, file: wheel.digests.sha256 }], 'hard')
  t.equal((await entries(folder.file('demo'))).length, 2)
  t.equal(await pruneFiles(folder, 'demo', [wheel]), 1)
  t.strictSame(readdirSync(folder.file('demo')), [wheel.digests.sha256])
  t.equal(await pruneFiles(folder, 'demo', []), 1)
  t.strictSame(await entries(folder.file('demo')), [])
  t.equal(await pruneFiles(folder, 'nothing', []), 0)
  await t.rejects(entries(join(store.pathOf(String(wheel.digests.sha256)), 'x')), { code: 'ENOTDIR' })
})
