import t from 'tap'
import { countsOf, type StageProgress } from '../../../../lib/progress.js'
import { emptyReport } from '../../../../lib/report.js'
import { pipelineView } from '../../../../lib/serve/pages/pipeline.js'

const report = countsOf(emptyReport('x'))

function stage(name: string, more: Partial<StageProgress> = {}): StageProgress {
  return { name, waits: 0, ended: false, ...more }
}

function view(...stages: StageProgress[]): string {
  return pipelineView({ elapsedMs: 61_000, left: 1200, listed: false, stages, report }).markup
}

const side = (length: number, highWaterMark = 16) => ({ length, highWaterMark })

t.test('where the back-pressure comes from', async t => {
  const source = stage('ProjectSource', { output: side(16), waits: 1, passed: 1471, rate: 0 })
  const documents = stage('Downloader', {
    ...{ fetches: 'documents', inFlight: 2, concurrency: 2, meanInFlight: 1.96 },
    ...{ input: side(16), output: side(17), passed: 9, rate: 3 }
  })
  const one = view(
    source,
    documents,
    stage('MetadataParser', { input: side(0, 1), waits: 0.2 }),
    stage('Own')
  )
  t.match(one, '<b>Downloader of documents</b>, with all its 2 calls in flight, sets the pace')
  t.match(one, 'stage held')
  t.match(one, 'waits for Downloader of documents')
  t.match(one, 'stage pace')
  t.match(one, /32<\/?[^>]*> <span class="soft">of<\/span> 32|32 <span class="soft">of<\/span> 32/)
  t.match(one, 'dammed up 100 % of the time')
  t.match(one, 'channel works')
  t.match(one, /17 <span class="soft">of<\/span> 18/, 'what was in flight is given all the same')
  t.match(one, '2 of 2 in flight')
  t.equal(one.match(/class="full" x=/g)?.length, 2)
  t.match(one, '1,200 or more')
  t.match(one, '1 min 01 s')
  t.match(one, '<b>2.0 documents</b>')
  t.match(one, '2 times as long')
  const saver = stage('PackageSaver', { input: side(16) })
  const two = view(source, { ...documents, inFlight: 1 }, stage('CatalogLookup', { waits: 0.6 }), saver)
  t.match(two, '<b>Downloader of documents</b> and <b>PackageSaver</b> set the pace')
})

t.test('what stages do', async t => {
  const states = (...stages: StageProgress[]) =>
    [...view(...stages).matchAll(/<div class="state">([^<]*)</g)].map(([, words]) => words)
  t.strictSame(
    states(
      stage('ProjectSource', { ended: true }),
      stage('A', { inFlight: 1, concurrency: 4 }),
      stage('B', { rate: 1, passed: 1 }),
      stage('C', { input: side(1) }),
      stage('D'),
      stage('VersionWriter')
    ),
    ['is through', 'flows', 'flows', 'flows', 'has nothing to do', 'waits for the end']
  )
  const free = view(stage('A', { inFlight: 0, concurrency: 1, meanInFlight: 1 }), stage('B'))
  t.match(free, 'Nothing is dammed up')
  t.notMatch(free, 'times as long')
  t.notMatch(view(stage('Downloader', { fetches: 'documents', meanInFlight: 1 })), 'times as long')
  const many = view(stage('A', { inFlight: 50, concurrency: 100 }), stage('B', { input: side(0, 0) }))
  t.match(many, 'class="full" width="50.0"', 'a bar in place of a hundred cells')
  t.match(view(stage('A', { output: side(0, 0) }), stage('B')), 'class="full" width="0.0"')
  t.match(pipelineView({ elapsedMs: 1, left: 3, listed: true, stages: [], report }).markup, '<dd>3</dd>')
})

t.test('a cluster has no stages here, but shards and workers', async t => {
  const cluster = { shards: 64, done: 3, workers: 1 }
  const progress = { elapsedMs: 61_000, left: 1200, stages: [], report, cluster }
  const page = pipelineView({ ...progress, listed: true }).markup
  t.match(page, 'A cluster does it: <b>3 of 64 shards</b> done, <b>1 worker</b> at work.')
  t.match(page, '1,200')
  t.match(pipelineView({ ...progress, listed: false }).markup, 'The listing is read')
})
