import t from 'tap'
import { Links } from '../../../../lib/serve/pages/links.js'
import { projectsPage } from '../../../../lib/serve/pages/projects.js'

const links = new Links('/-/repositories/x/projects')
const place = { asked: 'x@2', name: 'x' }

t.test('what was found', async t => {
  const items = [
    { project: 'a', name: '<A>', status: 'active' },
    { project: 'b', name: 'b', status: 'archived' }
  ] as const
  const some = projectsPage(links, place, 'a&', { items, next: 'b' })
  t.match(some, 'The first 2 projects that begin with <b><bdi>a&amp;</bdi></b>.')
  t.match(some, 'x%402/projects/a">&lt;A&gt;</a>')
  t.match(some, 'archived')
  t.match(some, 'projects?q=a%26&amp;after=b" rel="next">More projects')
  t.match(projectsPage(links, place, '', { items, next: undefined }), '2 projects.')
  t.match(
    projectsPage(links, place, 'z', { items: [], next: undefined }),
    'There are no projects that begin with'
  )
  const further = projectsPage(links, place, '', { items: [], next: 'b' })
  t.match(further, 'None yet.')
  t.match(further, 'Look further')
})
