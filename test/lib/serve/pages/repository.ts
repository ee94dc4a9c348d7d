import t from 'tap'
import { Links } from '../../../../lib/serve/pages/links.js'
import { repositoryPage, signed } from '../../../../lib/serve/pages/repository.js'
import { repository, version } from '../../../helpers/pages.js'

const links = new Links('/-/repositories/x/')
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
