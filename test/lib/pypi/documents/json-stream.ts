import t from 'tap'
import { type JsonVisitor, JsonWalk } from '../../../../lib/pypi/documents/json-stream.js'
import { type DocumentLimits, documentLimits } from '../../../../lib/pypi/documents/limits.js'

const lists = new Map([
  ['files', { key: 'files', grouped: false }],
  ['releases', { key: 'releases', grouped: true }]
])

class Recorder implements JsonVisitor {
  readonly seen: unknown[][] = []
  wanted = true
  key(key: string, sub: string | undefined): void {
    this.seen.push(sub === undefined ? ['key', key] : ['key', key, sub])
  }
  scalar(key: string, sub: string | undefined, value: unknown): void {
    this.seen.push(['scalar', key, sub, value])
  }
  list(key: string, group: string | undefined): boolean {
    this.seen.push(['list', key, group])
    return this.wanted
  }
  entry(value: unknown): void {
    this.seen.push(['entry', value])
  }
}

function walk(
  text: string,
  size = text.length,
  limits: Partial<DocumentLimits> = {},
  wanted = true
): unknown[][] {
  const recorder = new Recorder()
  recorder.wanted = wanted
  const walk = new JsonWalk(lists, documentLimits(limits), recorder)
  for (let start = 0; start < text.length; start += size) walk.write(text.slice(start, start + size))
  walk.end()
  return recorder.seen
}

const document =
  '{"name": "x", "n": -1.5e3, "t": true, "f": false, "z": null, "meta": {"v": "1", "deep": {"v": "2"}},' +
  '"other": [{"files": [1]}], "files": [{"a": [{"b": "\\u00e9"}], "__proto__": 1}, "s", 5, null, []],' +
  '"releases": {"1.0": [{"c": 1}, {"d": {}}], "2.0": null, "3.0": {"x": [9]}, "4.0": []}, "last": 1}'
const expected = [
  ['key', 'name'],
  ['scalar', 'name', undefined, 'x'],
  ['key', 'n'],
  ['scalar', 'n', undefined, -1500],
  ['key', 't'],
  ['scalar', 't', undefined, true],
  ['key', 'f'],
  ['scalar', 'f', undefined, false],
  ['key', 'z'],
  ['scalar', 'z', undefined, null],
  ['key', 'meta'],
  ['key', 'meta', 'v'],
  ['scalar', 'meta', 'v', '1'],
  ['key', 'meta', 'deep'],
  ['key', 'other'],
  ['key', 'files'],
  ['list', 'files', undefined],
  ['entry', JSON.parse('{"a": [{"b": "é"}], "__proto__": 1}')],
  ['entry', 's'],
  ['entry', 5],
  ['entry', null],
  ['entry', []],
  ['key', 'releases'],
  ['list', 'releases', undefined],
  ['key', 'releases', '1.0'],
  ['list', 'releases', '1.0'],
  ['entry', { c: 1 }],
  ['entry', { d: {} }],
  ['key', 'releases', '2.0'],
  ['scalar', 'releases', '2.0', null],
  ['key', 'releases', '3.0'],
  ['key', 'releases', '4.0'],
  ['list', 'releases', '4.0'],
  ['key', 'last'],
  ['scalar', 'last', undefined, 1]
]
for (const size of [1, 2, 7, 64, document.length])
  t.strictSame(walk(document, size), expected, `${size} at a time`)
t.strictSame(
  walk(document, document.length, {}, false),
  expected.map(step => (step[0] === 'entry' ? ['entry', undefined] : step)),
  'entries that are not wanted are only counted'
)
t.strictSame(
  walk('{"files": {"x": [1]}, "releases": [2]}'),
  [
    ['key', 'files'],
    ['key', 'files', 'x'],
    ['key', 'releases']
  ],
  'a list that is none, and groups that are none'
)

for (const text of [
  '',
  ' ',
  '{',
  '{"a"}',
  '{"a": }',
  '{"a": 1,}',
  '{"a": tru}',
  '{} {}',
  '{"a": "\u0001"}',
  "{'a': 1}",
  '{"a": 01}',
  '[1,]'
])
  t.throws(() => walk(text), JSON.stringify(text))
for (const text of ['[]', '1', '"x"', 'null', '[{"files": []}]'])
  t.throws(() => walk(text), { message: 'it is JSON, but no object' }, text)

t.test('limits', async t => {
  const limit = (text: string, limits: Partial<DocumentLimits>, size?: number) => walk(text, size, limits)
  const nested = (depth: number) => `{"a": ${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  t.doesNotThrow(() => limit(nested(64), {}))
  t.throws(() => limit(nested(65), {}), /nested deeper than 64/)
  t.throws(() => limit(nested(100_000), {}), /nested deeper than 64/)
  t.throws(() => limit(`{"files": [${nested(64)}]}`, {}), /nested deeper/)

  const maxLexeme = 1000
  t.doesNotThrow(() => limit(`{"a": "${'x'.repeat(1000)}"}`, { maxLexeme }))
  t.throws(() => limit(`{"a": "${'x'.repeat(1001)}"}`, { maxLexeme }), /longer than 1000 characters/)
  t.throws(() => limit(`{"a": "${'x'.repeat(5000)}`, { maxLexeme }, 64), /longer than 1000/, 'without an end')
  t.throws(() => limit(`{"a": ${'1'.repeat(5000)}`, { maxLexeme }, 64), /longer than 1000/)
  t.throws(() => limit(`{"${'x'.repeat(5000)}`, { maxLexeme }, 64), /longer than 1000/)
  t.throws(() => limit(`{"a": ${' '.repeat(5000)}`, { maxLexeme }, 64), /longer than 1000/)

  const maxEntry = 100
  t.doesNotThrow(() => limit(`{"files": [{"a": "${'x'.repeat(90)}"}]}`, { maxEntry }))
  t.throws(
    () => limit(`{"files": [{"a": "${'x'.repeat(100)}"}]}`, { maxEntry }),
    /entries is longer than 100/
  )
  t.throws(() => limit(`{"files": [{"${'x'.repeat(100)}": 1}]}`, { maxEntry }), /entries is longer than 100/)
  t.throws(() => limit(`{"a": ${'1'.repeat(101)}}`, { maxEntry }), /longer than 100/)
  t.doesNotThrow(() => limit(`{"files": [[${'1,'.repeat(200)}1]]}`, { maxEntry }), 'none, and not held')

  const maxEntries = 3
  t.doesNotThrow(() => limit('{"files": [1, {}], "releases": {"1": [[]]}}', { maxEntries }))
  t.throws(
    () => limit('{"files": [1, {}], "releases": {"1": [[], 2]}}', { maxEntries }),
    /more than 3 entries/
  )
})
