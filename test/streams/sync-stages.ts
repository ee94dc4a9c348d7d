import t from 'tap'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { Downloader } from '../../streams/downloader.js'
import { packageStages, savingStages, sourceStage, versionStage } from '../../streams/sync-stages.js'
import { openCatalog } from '../helpers/catalog.js'

const index = new URL('https://index.example.com/simple/')

function names(stages: readonly object[]): string[] {
  return stages.map(stage => stage.constructor.name)
}

t.test('the list is the one that the documents draw', async t => {
  const run = await (await openCatalog(t)).beginRun({ repository: 'pypi' })
  const before = ['ProjectLookup', 'Downloader', 'MetadataParser', 'PackageFilter']
  t.same(names([sourceStage({}, index)]), ['ProjectSource'])
  t.same(names(packageStages({}, index, run)), before)
  t.same(names(packageStages({}, index)), before.slice(1), 'a dry run looks nothing up')
  t.same(names(savingStages({}, index, run, undefined)), ['CatalogLookup', 'PackageSaver'])
  const store = new DirectoryStore(t.testdir())
  t.same(names(savingStages({}, index, run, store)), ['CatalogLookup', 'Downloader', 'PackageSaver'])
  t.same(names([versionStage({}, run, () => false)]), ['VersionWriter'])
})

t.test('documents and files have a concurrency each', async t => {
  const run = await (await openCatalog(t)).beginRun({ repository: 'pypi' })
  const store = new DirectoryStore(t.testdir())
  for (const [options, documents, files] of [
    [{}, 32, 16],
    [{ concurrency: 3, downloadConcurrency: 5 }, 3, 5],
    [{ concurrency: 'auto', downloadConcurrency: 'auto' }, 16, 16],
    [{ concurrency: undefined, downloadConcurrency: undefined }, 32, 16]
  ] as const) {
    const stages = [...packageStages(options, index), ...savingStages(options, index, run, store)]
    const downloaders = stages.filter(stage => stage instanceof Downloader)
    t.same(
      downloaders.map(({ concurrency }) => concurrency),
      [documents, files]
    )
  }
})
