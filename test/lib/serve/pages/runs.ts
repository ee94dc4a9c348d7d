import t from 'tap'
import type { RunInfo } from '../../../../lib/catalog/runs.js'
import { countsOf } from '../../../../lib/progress.js'
import { emptyReport } from '../../../../lib/report.js'
import { Links } from '../../../../lib/serve/pages/links.js'
import { runsPage } from '../../../../lib/serve/pages/runs.js'

const links = new Links('/-/repositories/x/runs')
const report = countsOf(emptyReport('x'))
const run: RunInfo = {
  ...{
    id: 1,
    startedAt: '2024-03-05T10:11:12Z',
    finishedAt: '2024-03-05T10:11:14Z',
    state: 'done',
    version: 3
  },
  ...{
    durationMs: 2000,
    options: {},
    report: { ...report, failures: 2, files: { ...report.files, bytes: 1500 } }
  }
}

t.test('charts and a table', async t => {
  const items: RunInfo[] = [
    {
      ...run,
      id: 4,
      state: 'running',
      finishedAt: undefined,
      durationMs: undefined,
      report: undefined,
      version: undefined
    },
    { ...run, id: 3, state: 'dead', report: undefined, version: undefined, durationMs: 4000 },
    { ...run, id: 2, version: 0 },
    run
  ]
  const page = runsPage(links, 'x', { items, next: 1 })
  t.match(page, 'data-live')
  t.match(page, 'Duration of 3 runs, oldest first, up to 4.0 s')
  t.match(page, 'Bytes of files of 3 runs, oldest first, up to 1.5 kB')
  t.match(page, 'Failures of 3 runs, oldest first, up to 2')
  t.ok(page.indexOf('<title>Run 1: 2.0 s') < page.indexOf('<title>Run 3: 4.0 s'))
  t.equal(page.match(/class="bar hollow"/g)?.length, 3, 'the dead one')
  t.match(page, 'versions/3">3</a>')
  t.notMatch(page, 'versions/0')
  t.match(page, 'href="?before=1"')
  const none = runsPage(links, 'x', { items: [], next: undefined })
  t.match(none, 'There are no runs')
  t.notMatch(none, /data-live|<svg/)
})
