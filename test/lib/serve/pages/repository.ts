import t from 'tap'
import type { VersionInfo } from '../../../../lib/catalog/browse-reader.js'
import type { IndexedRepository } from '../../../../lib/catalog/index-reader.js'
import { Links } from '../../../../lib/serve/pages/links.js'
import { repositoryPage, signed } from '../../../../lib/serve/pages/repository.js'

const links = new Links('/-/repositories/x/')
const createdAt = '2024-03-05T10:11:12Z'
const repository: IndexedRepository = {
  id: 1,
  name: 'x',
  createdAt,
  version: 2,
  modifiedAt: createdAt,
  fetchedRun: 1
}
const version: VersionInfo = {
  number: 2,
  createdAt,
  added: 3,
  removed: 1,
  present: 5,
  runId: 9,
  lastPackage: 4
}
const URL = 'http://h/<x>/simple/'

t.test('versions', async t => {
  const page = repositoryPage(links, repository, URL, { items: [version], next: 2 })
  t.match(page, '5 packages at version 2')
  t.match(page, 'pip install --index-url http://h/&lt;x&gt;/simple/')
  t.match(page, 'href="../../../-/repositories/x/versions/2">2</a>')
  t.match(page, '>+3<')
  t.match(page, '>−1<')
  t.match(page, 'href="?before=2"')
  const older = repositoryPage(links, repository, URL, {
    items: [{ ...version, number: 1 }],
    next: undefined
  })
  t.notMatch(older, /pip install|before=/)
  t.match(repositoryPage(links, repository, URL, { items: [], next: undefined }), 'No version of it')
  t.equal(signed('+', 0), '0')
})
