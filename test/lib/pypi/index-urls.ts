import t from 'tap'
import { documentUrls, listingUrl } from '../../../lib/pypi/index-urls.js'

for (const [root, listing, simple, json] of [
  [
    'https://pypi.org/simple/',
    'https://pypi.org/simple/',
    'https://pypi.org/simple/x/',
    'https://pypi.org/pypi/x/json'
  ],
  [
    'https://pypi.org/simple',
    'https://pypi.org/simple/',
    'https://pypi.org/simple/x/',
    'https://pypi.org/pypi/x/json'
  ],
  [
    'https://h.example/root/simple/#f',
    'https://h.example/root/simple/',
    'https://h.example/root/simple/x/',
    'https://h.example/root/pypi/x/json'
  ],
  ['https://h.example/', 'https://h.example/', 'https://h.example/x/', 'https://h.example/pypi/x/json'],
  [
    'https://h.example/index',
    'https://h.example/index/',
    'https://h.example/index/x/',
    'https://h.example/index/pypi/x/json'
  ],
  [
    'https://h.example/simple/?key=1',
    'https://h.example/simple/?key=1',
    'https://h.example/simple/x/',
    'https://h.example/pypi/x/json'
  ]
] as const) {
  t.equal(listingUrl(new URL(root), 'simple'), listing, root)
  t.equal(documentUrls(new URL(root), 'simple')('x'), simple)
  t.equal(documentUrls(new URL(root), 'json')('x'), json)
}
t.equal(listingUrl(new URL('https://pypi.org/simple'), 'json'), 'https://pypi.org/simple/')
t.equal(listingUrl(new URL('https://pypi.org/pypi/'), 'json'), 'https://pypi.org/simple/')
t.equal(listingUrl(new URL('https://pypi.org'), 'json'), 'https://pypi.org/simple/')
t.equal(documentUrls(new URL('https://pypi.org/pypi'), 'json')('x'), 'https://pypi.org/pypi/x/json')

const root = new URL('https://pypi.org/simple')
listingUrl(root, 'json')
documentUrls(root, 'json')
t.equal(root.href, 'https://pypi.org/simple', 'the given URL stays as it is')
