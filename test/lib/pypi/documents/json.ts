import t from 'tap'
import { isEntry, isQuicklyParsed, JsonDocument } from '../../../../lib/pypi/documents/json.js'

const lists = new Map([
  ['files', { key: 'files', grouped: false }],
  ['releases', { key: 'releases', grouped: true }]
])
const parse = (text: string) => new JsonDocument(text, lists)

t.test('outline', async t => {
  const document = parse(
    '{"a": "x", "b": 1, "c": true, "d": null, "e": {"f": "y", "g": {}, "__proto__": "own"}, "h": []}'
  )
  t.equal(document.value('a'), 'x')
  t.equal(document.value('b'), 1)
  t.equal(document.value('c'), true)
  t.equal(document.value('e.f'), 'y')
  t.equal(document.value('e.__proto__'), 'own')
  for (const path of [
    'd',
    'e',
    'h',
    'h.0',
    'e.g',
    'a.length',
    'toString',
    'e.toString',
    '__proto__',
    'nothing.x'
  ])
    t.equal(document.value(path), undefined, path)
  t.equal(parse(JSON.stringify({ a: 'x'.repeat(4096) })).value('a'), 'x'.repeat(4096))
  t.equal(parse(JSON.stringify({ a: 'x'.repeat(4097) })).value('a'), undefined, 'no name is that long')
})

t.test('lists', async t => {
  const document = parse(
    '{"files": [1, {}], "releases": {"1": [{}], "2": null, "3": [], "__proto__": [7, 8]}}'
  )
  t.equal(document.count('files'), 2)
  t.equal(document.count('releases'), 3)
  t.equal(document.count('releases', '1'), 1)
  t.equal(document.count('releases', '2'), undefined)
  t.equal(document.count('releases', '__proto__'), 2)
  t.equal(document.count('releases', 'toString'), undefined)
  t.equal(document.count('urls'), undefined)
  t.same(
    [...document.entries('files')],
    [
      [1, undefined],
      [{}, undefined]
    ]
  )
  t.same(
    [...document.entries('releases')],
    [
      [{}, '1'],
      [7, '__proto__'],
      [8, '__proto__']
    ]
  )
  t.same([...document.entries('urls')], [])
  const crossed = parse('{"files": {"1": []}, "releases": [1]}')
  t.equal(crossed.count('files'), undefined)
  t.equal(crossed.count('releases'), undefined)
  t.same([...crossed.entries('files'), ...crossed.entries('releases')], [])
})

for (const text of ['[]', '1', '"x"', 'null', 'true'])
  t.throws(() => parse(text), { message: 'it is JSON, but no object' }, text)
for (const text of ['', '{', '{"a": 1,}', '{} {}', '<html>'])
  t.throws(() => parse(text), { name: 'SyntaxError' }, text)

t.equal(isEntry({}), true)
for (const value of [null, [], 'x', 1, undefined]) t.equal(isEntry(value), false)

t.test('what JSON.parse would take long for', async t => {
  const quick = (text: string, maxDepth = 64) => isQuicklyParsed(Buffer.from(text), maxDepth)
  const file = JSON.stringify({
    filename: 'x "[{[{,,,',
    url: 'https://f.example/\\',
    hashes: { sha256: 'ab' }
  })
  t.ok(quick(`{"files": [${Array(4000).fill(file).join()}]}`), 'a page of 4,000 short files is not')
  t.ok(quick('['.repeat(60_000)), 'short, whatever it is')
  t.notOk(quick(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), '100,000 arrays in each other')
  t.notOk(quick(`[${' '.repeat(70_000)}${'{"a":'.repeat(64)}`), 'one more than allowed')
  t.ok(quick(`[${' '.repeat(70_000)}${'{"a":'.repeat(63)}`), 'as many as allowed')
  t.ok(quick(`[${'[],'.repeat(11_999)}${' '.repeat(50_000)}`), 'as many values as allowed')
  t.notOk(quick(`[${'[],'.repeat(12_000)}${' '.repeat(50_000)}`), 'empty arrays')
  t.notOk(quick(`[${'1,'.repeat(60_001)}`), 'numbers')
  t.ok(quick(`["${'[{,'.repeat(50_000)}\\"${'[{,'.repeat(50_000)}`), 'what stands in a string does not count')
})
