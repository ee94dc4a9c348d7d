import t from 'tap'
import { documentFormats } from '../../../../lib/pypi/documents/formats.js'

t.same(
  documentFormats.map(({ name, syntax }) => [name, syntax]),
  [
    ['PEP 691', 'json'],
    ['legacy JSON', 'json'],
    ['PEP 503', 'html']
  ]
)
const keys = documentFormats.filter(({ syntax }) => syntax === 'json').flatMap(({ lists }) => lists)
t.equal(new Set(keys.map(({ key }) => key)).size, keys.length, 'no two formats read one list in two ways')
for (const { paths } of documentFormats)
  for (const path of paths) t.ok(path.split('.').length <= 2, 'outlines go two keys deep')
