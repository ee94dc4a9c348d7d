import t from 'tap'
import { heldUntil, uploadedBeforeFilter } from '../../../lib/filter/uploaded-before.js'
import { makePackage } from '../../helpers/package.js'

// Times without a zone are UTC wherever this runs.
process.env.TZ = 'Asia/Tokyo'

const keeps = (uploadedBefore: string | Date, uploadTime: string | undefined): boolean | undefined =>
  uploadedBeforeFilter({ uploadedBefore })?.keeps(makePackage('x', 'x-1.zip', { uploadTime }))

t.test('a moment', async t => {
  const limit = '2024-05-31T12:00:00Z'
  for (const [time, expected] of [
    ['2024-05-31T11:59:59.999999Z', true],
    ['2024-05-31T12:00:00Z', false],
    ['2024-05-31T13:59:59+02:00', true],
    ['2024-05-31T12:00:01', false],
    ['2024-05-31 11:00:00', true],
    ['2024-05-31', true]
  ] as const) {
    t.equal(keeps(limit, time), expected, time)
    t.equal(keeps(new Date(limit), time), expected, time)
    t.equal(keeps('2024-05-31T14:00+0200', time), expected, time)
    t.equal(keeps('2024-05-31 12:00', time), expected, 'without a zone it is UTC')
  }
  t.notOk(keeps('2024-05-31', '2024-05-31T00:00:00Z'), 'a date is its beginning')
  t.ok(keeps('2024-05-31', '2024-05-30T23:59:59Z'))
})

t.test('an age', async t => {
  const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString()
  for (const [age, hours] of [
    ['36h', 36],
    ['7d', 168],
    ['2W', 336],
    ['0d', 0]
  ] as const) {
    t.ok(keeps(age, hoursAgo(hours + 1)), `older than ${age}`)
    t.notOk(keeps(age, hoursAgo(hours - 1)), `younger than ${age}`)
  }
})

t.test('an unknown or odd time cannot be shown to be old enough', async t => {
  for (const time of [undefined, '', 'yesterday', '2024-13-45T00:00:00Z', '20240101'])
    t.notOk(keeps('2100-01-01', time), String(time))
})

t.test('bad options', async t => {
  t.equal(uploadedBeforeFilter({}), undefined)
  for (const uploadedBefore of [
    '',
    '7',
    '7m',
    'd',
    '-7d',
    '1.5d',
    'May 2024',
    '2024-13-01',
    new Date('x'),
    7 as unknown as string
  ])
    t.throws(() => uploadedBeforeFilter({ uploadedBefore }), {
      code: 'ERR_MILLRACE_OPTION',
      option: 'uploadedBefore'
    })
})

t.test('an age lets through more as time passes, a moment does not', async t => {
  const pkg = { uploadTime: '2024-05-31T00:00:00Z' }
  t.equal(heldUntil({ uploadedBefore: '7d' }, pkg), Date.UTC(2024, 5, 7))
  t.equal(heldUntil({ uploadedBefore: '7d' }, { uploadTime: undefined }), undefined)
  t.equal(heldUntil({ uploadedBefore: '7d' }, { uploadTime: 'once' }), undefined)
  for (const uploadedBefore of ['2024-05-31', new Date(), undefined])
    t.equal(heldUntil({ uploadedBefore }, pkg), undefined)
})
