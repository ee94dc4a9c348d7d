import t from 'tap'
import type { RepositoryInfo } from '../../../../lib/catalog/browse-reader.js'
import { homePage } from '../../../../lib/serve/pages/home.js'
import { Links } from '../../../../lib/serve/pages/links.js'

const repository: RepositoryInfo = {
  ...{ id: 1, name: '<x>', createdAt: '2024-01-01T00:00:00Z', version: 3, present: 1234 },
  ...{
    changedAt: '2024-03-05T10:11:12Z',
    lastRun: 7,
    lastRunAt: '2024-03-05T10:11:12Z',
    lastRunState: 'failed'
  }
}

t.test('repositories', async t => {
  const never = { ...repository, name: 'new', lastRun: null, lastRunAt: null, lastRunState: null }
  const page = homePage(new Links('/'), '<x>', { items: [repository, never], next: 'a&b' }, false)
  t.match(page, 'href="-/repositories/%3Cx%3E/"><bdi>&lt;x&gt;</bdi>')
  t.match(page, '1,234')
  t.match(page, /runs\/7"><time[^>]*>5 Mar 2024, 10:11<\/time><\/a> <span class="mark strong">failed/)
  t.match(page, '<td>–</td>')
  t.match(page, 'role="search"')
  t.match(page, 'href="?after=a%26b"')
  t.notMatch(page, 'href="-/queue/"')
})

t.test('none yet', async t => {
  const page = homePage(new Links('/'), undefined, { items: [], next: undefined }, true)
  t.match(page, 'millrace sync')
  t.match(page, 'href="-/queue/"')
  t.notMatch(page, /<table|role="search"/)
})
