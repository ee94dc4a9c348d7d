import t from 'tap'
import { maxFileSizeFilter } from '../../../lib/filter/max-file-size.js'
import { makePackage } from '../../helpers/package.js'

const keeps = (maxFileSize: number | string, size: number | undefined): boolean | undefined =>
  maxFileSizeFilter({ maxFileSize })?.keeps(makePackage('x', 'x-1.zip', { size }))

t.test('bytes, and sizes with a unit', async t => {
  for (const [text, bytes] of [
    [1000, 1000],
    [0, 0],
    ['1000', 1000],
    ['1000B', 1000],
    ['100MB', 100_000_000],
    ['100 mb', 100_000_000],
    ['1.5k', 1500],
    ['2kB', 2000],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['1KiB', 1024],
    ['1MiB', 2 ** 20],
    ['1g', 1e9],
    ['1TB', 1e12],
    ['1TiB', 2 ** 40]
  ] as const) {
    t.ok(keeps(text, bytes), `${text} keeps ${bytes}`)
    t.notOk(keeps(text, bytes + 1), `${text} does not keep ${bytes + 1}`)
  }
})

t.test('a file of unknown size stays', async t => {
  t.ok(keeps(0, undefined))
})

t.test('bad options', async t => {
  t.equal(maxFileSizeFilter({}), undefined)
  for (const maxFileSize of ['', 'big', '1XB', '-1', '1,5MB', -1, Number.NaN, null as unknown as string])
    t.throws(() => maxFileSizeFilter({ maxFileSize }), { code: 'ERR_MILLRACE_OPTION', option: 'maxFileSize' })
})
