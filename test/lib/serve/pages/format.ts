import t from 'tap'
import { bytes, count, duration, plural, time } from '../../../../lib/serve/pages/format.js'

t.test('numbers, sizes and times', async t => {
  t.equal(count(1234567), '1,234,567')
  t.equal(plural(1, 'file'), '1 file')
  t.equal(plural(0, 'file'), '0 files')
  t.equal(plural(2, 'entry', 'entries'), '2 entries')
  t.equal(bytes(1500), '1.5 kB')
  t.equal(bytes(undefined), '–')
  for (const [ms, text] of [
    [undefined, '–'],
    [12.4, '12 ms'],
    [59_900, '59.9 s'],
    [65_000, '1 min 05 s'],
    [3_660_000, '1 h 01 min']
  ] as const)
    t.equal(duration(ms), text)
  t.equal(
    time('2024-03-05T10:11:12Z').markup,
    '<time datetime="2024-03-05T10:11:12.000Z">5 Mar 2024, 10:11</time>'
  )
  t.match(time('2024-03-05T10:11:12Z', 'day').markup, '>5 Mar 2024<')
  for (const nothing of [undefined, null, 'never']) t.equal(time(nothing).markup, '–')
})
