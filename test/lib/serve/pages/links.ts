import t from 'tap'
import { Links } from '../../../../lib/serve/pages/links.js'
import { indexed } from '../../../helpers/indexed.js'

t.test('links are relative to their page, and names are escaped in them', async t => {
  const home = new Links('/')
  t.equal(home.home, './')
  t.equal(home.asset('style.css'), '-/assets/style.css')
  t.equal(home.to('a b/c', 'runs/3'), '-/repositories/a%20b%2Fc/runs/3')
  const deep = new Links('/-/repositories/pypi/projects/numpy')
  const at = (link: string) => new URL(link, 'http://x/prefix/-/repositories/pypi/projects/numpy').pathname
  t.equal(at(deep.home), '/prefix/')
  t.equal(at(deep.to('pypi')), '/prefix/-/repositories/pypi/')
  t.equal(at(deep.project('pypi@3', 'six')), '/prefix/-/repositories/pypi@3/projects/six'.replace('@', '%40'))
  t.equal(at(deep.simple('pypi', 'six')), '/prefix/pypi/simple/six/')
  const file = indexed('six-1.0.tar.gz', { project: 'six', digests: { sha256: 'ab' } })
  t.equal(at(deep.file('pypi', file)), '/prefix/pypi/files/six/ab/six-1.0.tar.gz')
  t.equal(
    home.to('pypi', 'projects', { q: 'a&b', after: undefined, other: '' }),
    '-/repositories/pypi/projects?q=a%26b'
  )
})
