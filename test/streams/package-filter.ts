import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { Package } from '../../lib/pypi/package.js'
import { PackageFilter } from '../../streams/package-filter.js'
import { makePackage, versionsOfX } from '../helpers/package.js'

async function through(filter: PackageFilter, packages: readonly Package[]): Promise<Package[]> {
  const out: Package[] = []
  await pipeline(
    Readable.from(packages),
    filter,
    async function* (source: AsyncIterable<Package>) {
      for await (const pkg of source) out.push(pkg)
      yield* []
    },
    new PassThrough({ objectMode: true }).resume()
  )
  return out
}

const MANY = Array.from({ length: 1000 }, (_, n) => `${n % 40}.${n}`)

t.test('the same objects, once each, at every size', async t => {
  for (const size of [0, 1, 2, 1000]) {
    const packages = versionsOfX(...MANY.slice(0, size))
    const out = await through(new PackageFilter(), packages)
    t.equal(out.length, size)
    t.ok(out.every((pkg, index) => pkg === packages[index]))
    t.equal((await through(new PackageFilter({ keepLatest: 2000 }), packages)).length, size)
  }
})

t.test('options as in the example of the contract', async t => {
  const filter = new PackageFilter({ includes: ['numpy', 'scipy>=1.10'], packageTypes: ['bdist_wheel'] })
  const out = await through(
    filter,
    [
      'numpy-1.0.zip',
      'numpy-1.0-py3-none-any.whl',
      'scipy-1.9-py3-none-any.whl',
      'scipy-1.10-py3-none-any.whl',
      'six-1-py3-none-any.whl'
    ].map(file => makePackage(file.slice(0, file.indexOf('-')), file))
  )
  t.strictSame(
    out.map(({ filename }) => filename),
    ['numpy-1.0-py3-none-any.whl', 'scipy-1.10-py3-none-any.whl']
  )
})

t.test("'drop' says what was taken out, and by which option", async t => {
  const filter = new PackageFilter({ excludes: ['x==1.0'], keepLatest: 1, prereleases: undefined })
  const dropped: string[] = []
  filter.on('drop', ({ version }: Package, name: string) => dropped.push(`${version} ${name}`))
  await through(filter, versionsOfX('1.0', '2.0', '3.0rc1', '3.0'))
  t.strictSame(dropped, ['1.0 excludes', '3.0rc1 prereleases', '2.0 keepLatest'])
})

t.test('with keepLatest it holds the files of that many versions, and no more', async t => {
  const filter = new PackageFilter({ keepLatest: 2, highWaterMark: 1 })
  const dropped: string[] = []
  filter.on('drop', ({ version }: Package) => dropped.push(version as string))
  for (const pkg of versionsOfX('1', '2', '3', '4')) await new Promise(resolve => filter.write(pkg, resolve))
  t.strictSame(dropped, ['1', '2'])
  t.equal(filter.readableLength, 0)
  filter.write(makePackage('y', 'y-1.zip'))
  t.equal(filter.readableLength, 2, 'the next project lets them go')
  t.strictSame([filter.read()?.version, filter.read()?.version], ['3', '4'])
  filter.end()
  filter.resume()
  await once(filter, 'end')
})

t.test('a reader that does not read holds it up', async t => {
  const filter = new PackageFilter({ highWaterMark: 4 })
  const source = Readable.from(versionsOfX(...MANY))
  let written = 0
  const count = new PassThrough({ objectMode: true, highWaterMark: 1 })
  count.on('data', () => written++)
  source.pipe(count)
  count.pipe(filter)
  await once(filter, 'readable')
  await new Promise(resolve => setImmediate(resolve))
  t.equal(filter.readableLength, 4)
  t.ok(written <= 20, `${written} written`)
  source.destroy()
  filter.destroy()
})

t.test('a record that is no package destroys it', async t => {
  await t.rejects(
    through(new PackageFilter({ excludePlatforms: ['linux'] }), [{ packageType: 'bdist_wheel' } as Package]),
    {
      name: 'TypeError'
    }
  )
})

t.test('an aborted signal destroys it', async t => {
  const controller = new AbortController()
  const filter = new PackageFilter({ signal: controller.signal })
  const done = pipeline(
    Readable.from(versionsOfX(...MANY)),
    filter,
    new Writable({ objectMode: true, write: (_pkg, _encoding, _done) => controller.abort() })
  )
  await t.rejects(done, { code: 'ABORT_ERR' })
  t.ok(filter.destroyed)
})

t.test('bad options', async t => {
  t.throws(() => new PackageFilter({ highWaterMark: 0 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'highWaterMark'
  })
  t.throws(() => new PackageFilter({ keepLatest: 1.5 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'keepLatest'
  })
  t.throws(() => new PackageFilter({ includes: ['shelf-reader$3'] }), { code: 'ERR_MILLRACE_REQUIREMENT' })
  // @ts-expect-error no such system
  t.throws(() => new PackageFilter({ excludePlatforms: ['darwin'] }), { option: 'excludePlatforms' })
})
