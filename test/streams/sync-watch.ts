import { PassThrough } from 'node:stream'
import t from 'tap'
import type { Run } from '../../lib/catalog/run.js'
import { DocumentError, RecordError, StatusError, TemporaryFileError } from '../../lib/errors.js'
import { emptyReport, type Failure } from '../../lib/report.js'
import { Downloader } from '../../streams/downloader.js'
import { MetadataParser } from '../../streams/metadata-parser.js'
import { PackageFilter } from '../../streams/package-filter.js'
import { ProjectSource } from '../../streams/project-source.js'
import { isMissing, SyncWatch } from '../../streams/sync-watch.js'
import { project, sdist } from '../helpers/catalog.js'

const url = 'https://index.example/simple/a/'

/** A run that only writes down what its ledger is told. */
function recorder() {
  const told: string[] = []
  const failures: Failure[][] = []
  const note =
    (what: string) =>
    (...[name]: unknown[]) =>
      void told.push(`${what} ${typeof name === 'string' ? name : (name as { project: string }).project}`)
  const ledger = {
    ...{ announce: note('announce'), settle: note('settle'), missing: note('missing') },
    ...{ failProject: note('failProject'), failPackage: note('failPackage') }
  }
  const run = {
    ledger,
    unlist() {},
    recordFailures: async (batch: readonly Failure[]) => void failures.push([...batch])
  }
  return { run: run as unknown as Run, told, failures }
}

t.test('missing is what the index says is not there', async t => {
  t.ok(isMissing(new StatusError(url, 404)))
  t.ok(isMissing(new StatusError(url, 410)))
  t.notOk(isMissing(new StatusError(url, 403)))
  t.notOk(isMissing(new DocumentError(url, 'it is empty')))
})

t.test('what becomes of projects and packages goes to the ledger and the report', async t => {
  const { run, told } = recorder()
  const report = emptyReport('x')
  const watch = new SyncWatch(run, report, {})
  const stages = [
    new Downloader(),
    new MetadataParser(),
    new PackageFilter(),
    new Downloader(),
    new PassThrough()
  ]
  const [documents, parser, filter, files] = stages as [Downloader, MetadataParser, PackageFilter, Downloader]
  watch.observe(stages)

  documents.emit('skip', project('gone'), new StatusError(url, 404))
  documents.emit('skip', project('broken'), new StatusError(url, 500))
  parser.emit('skip', project('unread'), new DocumentError(url, 'it is empty'))
  parser.emit('skip', { project: 'a', filename: 'x' }, new RecordError(url, 'x', 'it is none'))
  parser.emit('project', { project: 'a', packages: 3, unchanged: false })
  parser.emit('project', { project: 'b', packages: 0, unchanged: true })
  filter.emit('drop', sdist('a', '1'), 'excludes')
  files.emit('skip', sdist('a', '2'), new StatusError(url, 403))
  files.emit('skip', sdist('a', '3'), new StatusError(url, 404))
  t.strictSame(told, [
    ...['missing gone', 'failProject broken', 'failProject unread', 'announce a', 'announce b', 'settle a'],
    ...['failPackage a', 'failPackage a']
  ])
  watch.finish()
  t.match(report, {
    projects: { fetched: 1, unchanged: 1, missing: 1, failed: 3 },
    packages: { seen: 3, kept: 2 },
    files: { failed: 2 }
  })
  t.strictSame(
    report.failures.map(({ code, project, filename }) => [code, project, filename]),
    [
      ['ERR_MILLRACE_STATUS', 'broken', undefined],
      ['ERR_MILLRACE_DOCUMENT', 'unread', undefined],
      ['ERR_MILLRACE_RECORD', 'a', 'x'],
      ['ERR_MILLRACE_STATUS', 'a', 'a-2.tar.gz'],
      ['ERR_MILLRACE_STATUS', 'a', 'a-3.tar.gz']
    ]
  )
  t.strictSame(watch.dropped, { excludes: 1 })
  t.equal(watch.committed, false)
  t.equal(watch.completeListing, false)
  t.equal(watch.keptListing, undefined)
})

t.test('a dry run has no ledger', async t => {
  const report = emptyReport('x')
  const watch = new SyncWatch(undefined, report, {})
  const stages = [
    new ProjectSource({ includes: ['a'] }),
    new Downloader(),
    new MetadataParser(),
    new PackageFilter()
  ]
  const [source, documents, parser, filter] = stages as [
    ProjectSource,
    Downloader,
    MetadataParser,
    PackageFilter
  ]
  watch.observe(stages)
  source.emit('listing', { complete: true, absent: [], met: new Map(), total: 3 })
  documents.emit('skip', project('gone'), new StatusError(url, 404))
  documents.emit('skip', project('broken'), new StatusError(url, 500))
  parser.emit('skip', project('unread'), new DocumentError(url, 'it is empty'))
  parser.emit('project', { project: 'a', packages: 3, unchanged: false })
  filter.emit('drop', sdist('a', '1'), 'excludes')
  watch.finish()
  await watch.record()
  t.equal(watch.completeListing, true)
  t.match(report, { projects: { fetched: 1, missing: 1, failed: 2 }, packages: { seen: 3, kept: 2 } })
})

t.test(
  'with strict the first failure destroys its stage; a disk that refuses does so in any case',
  async t => {
    for (const [strict, error, ends] of [
      [false, new StatusError(url, 500), false],
      [undefined, new StatusError(url, 500), false],
      [true, new StatusError(url, 500), true],
      [true, new StatusError(url, 404), false],
      [false, new TemporaryFileError(url, '/tmp/x', new Error('full')), true]
    ] as const) {
      const stage = new Downloader()
      const failed = new Promise(resolve => stage.on('error', resolve))
      new SyncWatch(undefined, emptyReport('x'), { strict }).observe([stage])
      stage.emit('skip', project('a'), error)
      t.equal(stage.destroyed, ends)
      if (ends) t.equal(await failed, error)
    }
  }
)

t.test('failures are written down in batches', async t => {
  for (const [count, batches] of [
    [0, []],
    [1, [1]],
    [500, [500]],
    [1001, [500, 500, 1]]
  ] as const) {
    const { run, failures } = recorder()
    const report = emptyReport('x')
    const watch = new SyncWatch(run, report, {})
    for (let n = 0; n < count; n++) report.failures.push({ code: 'ERR_X', attempts: n, message: '' })
    await watch.record()
    t.strictSame(
      failures.map(batch => batch.length),
      batches
    )
  }
})
