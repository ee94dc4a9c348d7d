import t from 'tap'
import type { RunProgress } from '../../../../lib/catalog/progress.js'
import type { RunInfo } from '../../../../lib/catalog/runs.js'
import { countsOf } from '../../../../lib/progress.js'
import { emptyReport, type Failure } from '../../../../lib/report.js'
import { Links } from '../../../../lib/serve/pages/links.js'
import { runPage } from '../../../../lib/serve/pages/run.js'

const links = new Links('/-/repositories/x/runs/1')
const report = countsOf(emptyReport('x'))
const startedAt = '2024-03-05T10:11:12Z'
const run: RunInfo = {
  ...{ id: 1, startedAt, finishedAt: '2024-03-05T10:11:14Z', state: 'done', version: 3, durationMs: 2000 },
  ...{
    options: { indexUrl: 'http://<i>/', includes: ['a', 'b>=1'], concurrency: 8 },
    report: { ...report, failures: 1 }
  }
}
const none = { items: [], next: undefined }

function show(
  more: Partial<RunInfo> = {},
  progress?: RunProgress,
  failures: { items: Failure[]; next: number | undefined } = { items: [], next: undefined },
  now = 0
): string {
  return runPage(links, 'x', { ...run, ...more }, progress, failures, now)
}

t.test('a run that is over', async t => {
  const page = show({}, undefined, {
    items: [
      {
        code: 'ERR_MILLRACE_STATUS',
        project: 'a',
        filename: '<f>',
        url: 'http://u/',
        attempts: 4,
        message: '<script>'
      },
      { code: 'ERR_X', attempts: 0, message: 'no http://u/', url: 'http://u/' }
    ],
    next: 9
  })
  t.match(page, /Began <time[^>]*>[^<]*<\/time>, took 2\.0 s/)
  t.match(page, 'versions/3">3</a>')
  t.match(page, '<th scope="row">Projects</th>')
  t.match(page, 'projects/a"><bdi>a</bdi></a> <bdi>&lt;f&gt;</bdi>')
  t.match(page, '&lt;script&gt;')
  t.match(page, '</code> after 4 attempts · <span class="url"><bdi>http://u/</bdi>')
  t.equal(page.match(/class="url"/g)?.length, 1, 'a URL that the message has is not said twice')
  t.match(page, 'href="?after=9"')
  t.match(page, 'http://&lt;i&gt;/')
  t.match(page, '<bdi>a, b&gt;=1</bdi>')
  t.notMatch(page, 'data-live')
})

t.test('a run without a report', async t => {
  const dead = show({ state: 'dead', report: undefined, options: {} })
  t.match(dead, 'It left no report. Its process was killed')
  t.notMatch(dead, 'What it was asked to do')
  const failed = show({ state: 'failed', report: undefined, durationMs: undefined })
  t.match(failed, 'It left no report.</p>')
  t.notMatch(failed, /took|was killed/)
})

t.test('a run under way', async t => {
  const running = {
    state: 'running',
    finishedAt: undefined,
    durationMs: undefined,
    report: undefined
  } as const
  t.match(show(running), 'has not said anything yet')
  t.match(
    show(running, { run: 1, startedAt, at: undefined, progress: undefined }),
    'has not said anything yet'
  )
  const progress = { elapsedMs: 1, left: 0, listed: true, stages: [], report }
  const told = { run: 1, startedAt, at: startedAt, progress }
  const page = show(running, told, none as never, Date.parse(startedAt) + 1000)
  t.match(page, 'data-live')
  t.match(page, 'class="race"')
  t.notMatch(page, 'has not said anything')
  t.match(show(running, told, none as never, Date.parse(startedAt) + 20_000), 'not said anything for 20.0 s')
})
