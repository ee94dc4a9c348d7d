import t from 'tap'
import {
  apiVersionObjection,
  projectStatus,
  serialOf,
  textOf
} from '../../../../lib/pypi/documents/format.js'

for (const status of ['active', 'archived', 'quarantined', 'deprecated'])
  t.equal(projectStatus(status), status)
for (const other of ['retired', '', 5, null, undefined, ['active']]) t.equal(projectStatus(other), undefined)

for (const fine of ['1.0', '1.4', '1.99', undefined, null, '', 'none', 2])
  t.equal(apiVersionObjection(fine), undefined, String(fine))
t.match(apiVersionObjection('2.0'), /2\.0/)
t.match(apiVersionObjection('10.1'), /10\.1/)

t.equal(textOf('a'), 'a')
for (const other of ['', 0, null, undefined, {}]) t.equal(textOf(other), undefined)

t.equal(serialOf(12), 12)
for (const other of [0, -1, 1.5, 2 ** 53, Number.NaN, '12', null, undefined])
  t.equal(serialOf(other), undefined)
