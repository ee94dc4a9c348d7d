import t from 'tap'
import type { ProjectPage } from '../../../../lib/serve/documents/page.js'
import { Links } from '../../../../lib/serve/pages/links.js'
import { projectPage } from '../../../../lib/serve/pages/project.js'
import { indexed } from '../../../helpers/indexed.js'

const links = new Links('/-/repositories/x/projects/demo')
const place = { asked: 'x@2', name: 'x' }
const page: ProjectPage = {
  project: 'demo',
  name: 'Demo',
  status: 'active',
  statusReason: undefined,
  serial: 1,
  files: []
}

t.test('versions, files and their marks', async t => {
  const files = [
    indexed('demo-1.0-cp312-abi3-manylinux1_x86_64.win_amd64.whl', {
      ...{ version: '1.0', packageType: 'bdist_wheel', size: 1500, requiresPython: '>=3.9', file: 'ab' },
      ...{ digests: { sha256: 'ab' }, coreMetadata: true, uploadTime: '2024-03-05T10:11:12Z' }
    }),
    indexed('demo-1.0.tar.gz', { version: '1.0', yanked: '<i>', size: 500, digests: { md5: 'ff' } }),
    indexed('demo-2.0rc1.zip', { version: '2.0rc1', yanked: '', size: 0, packageType: 'bdist_dumb' }),
    indexed('demo.exe', { version: undefined, packageType: 'unknown', size: 0 })
  ]
  const text = projectPage(links, place, { ...page, files }, 0)
  t.match(text, '<bdi>Demo</bdi>')
  t.match(text, 'pip install demo')
  t.match(text, '<dt>All together</dt><dd>2 kB</dd>')
  t.strictSame(
    [...text.matchAll(/<summary>.*?<bdi>([^<]*)<\/bdi>/g)].map(([, version]) => version),
    ['2.0rc1', '1.0', 'no version']
  )
  t.equal(text.match(/<details class="version" open>/g)?.length, 1, 'the first one')
  const [first = '', second = '', third = ''] = text.split('<details').slice(1)
  t.match(first, /yanked<\/span><span class="mark">pre-release/)
  t.match(first, 'bdist_dumb')
  t.notMatch(second.split('</summary>')[0], 'yanked', 'not all of its files are')
  t.match(second, '5 Mar 2024</time> · 2 files')
  t.match(second, 'x%402/files/demo/ab/demo-1.0-cp312-abi3-manylinux1_x86_64.win_amd64.whl"')
  t.match(second, '.whl.metadata">metadata')
  t.match(second, '<li>cp312</li><li>abi3</li><li>manylinux1_x86_64</li><li>win_amd64</li>')
  t.match(second, 'Python <bdi>&gt;=3.9</bdi>')
  t.match(second, 'in the store')
  t.match(second, /yanked<\/span> <bdi>&lt;i&gt;<\/bdi>/)
  t.equal(second.match(/class="digest"/g)?.length, 1)
  t.match(third, 'upstream')
  t.notMatch(third, /tags|metadata/)
})

t.test('a size that nobody tells makes no sum', async t => {
  const files = [indexed('demo-1.0.tar.gz', { size: undefined })]
  t.match(projectPage(links, place, { ...page, files }, 0), '<dt>All together</dt><dd>–</dd>')
})

t.test('many versions', async t => {
  const files = Array.from({ length: 30 }, (_, at) => indexed(`demo-1.${at}.tar.gz`, { version: `1.${at}` }))
  const first = projectPage(links, place, { ...page, files }, 0)
  t.equal(first.match(/<summary>/g)?.length, 25)
  t.match(first, 'href="?part=1"')
  const second = projectPage(links, place, { ...page, files }, 1)
  t.equal(second.match(/<summary>/g)?.length, 5)
  t.notMatch(second, /part=|<details class="version" open>/)
})

t.test('a project in quarantine', async t => {
  const text = projectPage(links, place, { ...page, status: 'quarantined', statusReason: '<mal>' }, 0)
  t.match(text, /quarantined<\/span><\/h1>/)
  t.match(text, '&lt;mal&gt;')
  t.match(text, 'none of its files is offered')
})
