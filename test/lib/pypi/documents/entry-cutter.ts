import t from 'tap'
import { EntryCutter, UNCUT } from '../../../../lib/pypi/documents/entry-cutter.js'
import { type DocumentLimits, documentLimits } from '../../../../lib/pypi/documents/limits.js'

function cut(text: string, size = text.length, limits: Partial<DocumentLimits> = {}) {
  const cutter = new EntryCutter(documentLimits(limits))
  let frame = ''
  for (let start = 0; start < text.length; start += size) frame += cutter.cut(text.slice(start, start + size))
  return { frame: frame + cutter.end(), entries: cutter.entries }
}

t.test('objects in arrays two or three deep, however the text comes', async t => {
  const text =
    '{"a": [{"b": [{"c": "}"}], "d": "\\"]"} , 1, "{\\\\", [{"e": 1}], []],' +
    '"f": {"g": [{}, {"h": {}}], "i": {"j": [{"k": 1}]}}, "l": {"m": 1}}'
  for (let size = 1; size <= text.length; size++) {
    t.strictSame(
      cut(text, size),
      {
        frame:
          '{"a": [{} , 1, "{\\\\", [{}], []],"f": {"g": [{}, {}], "i": {"j": [{"k": 1}]}}, "l": {"m": 1}}',
        entries: [{ b: [{ c: '}' }], d: '"]' }, { e: 1 }, {}, { h: {} }]
      },
      `pieces of ${size}`
    )
  }
})

t.test('those that are too long are left where they are', async t => {
  const long = (length: number) => `{"x":"${'['.repeat(length - 8)}"}`
  for (const [limits, most] of [
    [{}, 65_536],
    [{ maxLexeme: 1000 }, 1000],
    [{ maxEntry: 1000 }, 500]
  ] as const) {
    for (const size of [100, 1_000_000]) {
      const fits = `{"a":[${long(most)},{"b":1}]}`
      const { frame, entries } = cut(fits, size, limits)
      t.strictSame([frame, entries.length, entries[1]], ['{"a":[{},{}]}', 2, { b: 1 }])
      const text = `{"a":[${long(most + 1)},{"b":[{}]}]}`
      t.strictSame(cut(text, size, limits), {
        frame: text.replace('{"b":[{}]}', '{}'),
        entries: [UNCUT, { b: [{}] }]
      })
    }
  }
})

t.test('what is broken', async t => {
  t.strictSame(cut('{"a":[{"b":'), { frame: '{"a":[{"b":', entries: [UNCUT] }, 'told by who reads the frame')
  t.strictSame(cut('{"a":[}]}]'), { frame: '{"a":[}]}]', entries: [] })
  t.throws(() => cut('{"a":[{"b"}]}'), SyntaxError)
  t.throws(() => cut('{"a":[{"b":[1}]}'), SyntaxError)
  t.throws(() => cut(`{"a":[{"b":${'['.repeat(62)}`), /nested deeper than 64/)
  t.doesNotThrow(() => cut(`{"a":[{"b":${'['.repeat(61)}`))
})
