import t from 'tap'
import { isUnchanged, rangeOf } from '../../../lib/serve/conditional.js'

const date = 'Tue, 24 Nov 2026 10:42:00 GMT'
const before = 'Tue, 24 Nov 2026 10:41:59 GMT'
const strong = { etag: '"a,b"', lastModified: date }

t.test('whether the client has it', async t => {
  const cases: readonly (readonly [headers: Record<string, string>, unchanged: boolean])[] = [
    [{}, false],
    [{ 'if-none-match': '"a,b"' }, true],
    [{ 'if-none-match': 'W/"a,b"' }, true],
    [{ 'if-none-match': '"x", W/"y" ,"a,b"' }, true],
    [{ 'if-none-match': ' * ' }, true],
    [{ 'if-none-match': '"b"' }, false],
    [{ 'if-none-match': 'a,b' }, false],
    [{ 'if-none-match': '"x"', 'if-modified-since': date }, false],
    [{ 'if-modified-since': date }, true],
    [{ 'if-modified-since': before }, false],
    [{ 'if-modified-since': 'soon' }, false]
  ]
  for (const [headers, unchanged] of cases)
    t.equal(isUnchanged(headers, strong), unchanged, JSON.stringify(headers))
  t.equal(isUnchanged({ 'if-none-match': '"x"' }, { etag: 'W/"x"' }), true)
  t.equal(isUnchanged({ 'if-modified-since': date }, { etag: 'W/"x"' }), false)
})

t.test('parts', async t => {
  const cases: readonly (readonly [range: string | undefined, expected: unknown])[] = [
    [undefined, undefined],
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=2-', { start: 2, end: 9 }],
    [' bytes=2-5 ', { start: 2, end: 5 }],
    ['bytes=2-50', { start: 2, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-30', { start: 0, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-12', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['lines=0-1', undefined],
    ['bytes=a-b', undefined]
  ]
  for (const [range, expected] of cases)
    t.strictSame(rangeOf(range === undefined ? {} : { range }, 10, strong), expected, String(range))
  t.equal(rangeOf({ range: 'bytes=0-' }, 0, strong), 'unsatisfiable', 'of nothing')
})

t.test('parts of one state only', async t => {
  const range = 'bytes=0-1'
  t.ok(rangeOf({ range, 'if-range': '"a,b"' }, 10, strong))
  t.ok(rangeOf({ range, 'if-range': date }, 10, strong))
  t.notOk(rangeOf({ range, 'if-range': '"x"' }, 10, strong))
  t.notOk(rangeOf({ range, 'if-range': before }, 10, strong))
  t.notOk(
    rangeOf({ range, 'if-range': 'W/"a"' }, 10, { etag: 'W/"a"' }),
    'a weak tag does not tell bytes apart'
  )
})
