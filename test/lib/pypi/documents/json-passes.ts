import t from 'tap'
import { outlineOf, readEntries } from '../../../../lib/pypi/documents/json-passes.js'
import { documentLimits } from '../../../../lib/pypi/documents/limits.js'
import { decodePieces } from '../../../../lib/pypi/documents/text.js'
import { chunks } from '../../../helpers/documents.js'

const lists = new Map([
  ['files', { key: 'files', grouped: false }],
  ['releases', { key: 'releases', grouped: true }]
])
const paths = new Set(['name', 'info.name', 'meta.serial'])
const limits = documentLimits()

async function passes(text: string, chosen = ['files', 'releases'], size = 5) {
  const texts = () => decodePieces(chunks(Buffer.from(text), size), 'utf-8')
  const outline = await outlineOf(texts(), lists, paths, limits)
  const entries: unknown[] = []
  for await (const batch of readEntries(texts(), lists, new Set(chosen), outline, limits))
    for (const { entry, key, group } of batch) entries.push([key, group, entry])
  return { outline, entries }
}

t.test('outline and entries', async t => {
  const { outline, entries } = await passes(
    '{"name": "x", "other": 1, "info": {"name": 7, "more": 1}, "meta": {"serial": true}, "files": [1, 2],' +
      '"releases": {"1": [3], "2": [], "3": null}}'
  )
  t.equal(outline.value('name'), 'x')
  t.equal(outline.value('info.name'), 7)
  t.equal(outline.value('meta.serial'), true)
  t.equal(outline.value('other'), undefined, 'nobody asks for it')
  t.equal(outline.count('files'), 2)
  t.equal(outline.count('releases'), 1)
  t.equal(outline.count('releases', '1'), 1)
  t.equal(outline.count('releases', '2'), 0)
  t.equal(outline.count('releases', '3'), undefined)
  t.equal(outline.count('releases', '4'), undefined)
  t.equal(outline.count('urls'), undefined)
  t.strictSame(entries, [
    ['files', undefined, 1],
    ['files', undefined, 2],
    ['releases', '1', 3]
  ])
})

t.test('only chosen lists', async t => {
  const text = '{"files": [1, {"a": 1}], "releases": {"1": [2]}}'
  t.strictSame((await passes(text, ['releases'])).entries, [['releases', '1', 2]])
  t.strictSame((await passes(text, [])).entries, [])
})

t.test('of equal keys the last counts', async t => {
  for (const [text, entries, counts] of [
    [
      '{"files": [1], "files": [2, 3]}',
      [
        ['files', undefined, 2],
        ['files', undefined, 3]
      ],
      [2, undefined]
    ],
    ['{"files": [1], "files": null}', [], [undefined, undefined]],
    ['{"files": [1], "files": {}}', [], [undefined, undefined]],
    ['{"files": null, "files": [1]}', [['files', undefined, 1]], [1, undefined]],
    ['{"releases": {"1": [1], "1": [2]}}', [['releases', '1', 2]], [undefined, 1]],
    ['{"releases": {"1": [1], "1": []}}', [], [undefined, 0]],
    ['{"releases": {"1": [1], "1": null}}', [], [undefined, 0]],
    [
      '{"releases": {"1": [1], "1": {}, "1": [2, 3]}}',
      [
        ['releases', '1', 2],
        ['releases', '1', 3]
      ],
      [undefined, 2]
    ],
    [
      '{"releases": {"1": [1]}, "releases": {"1": [2], "2": [3]}}',
      [
        ['releases', '1', 2],
        ['releases', '2', 3]
      ],
      [undefined, 2]
    ],
    ['{"releases": {"1": [1], "1": [4]}, "releases": {"1": [2]}}', [['releases', '1', 2]], [undefined, 1]],
    ['{"releases": {"1": [1]}, "releases": []}', [], [undefined, undefined]]
  ] as const) {
    const { outline, entries: found } = await passes(text)
    t.strictSame(found, entries, text)
    t.strictSame([outline.count('files'), outline.count('releases')], counts, text)
  }
  const value = async (text: string) => (await passes(text)).outline.value('info.name')
  t.equal(await value('{"info": {"name": "a", "name": "b"}}'), 'b')
  t.equal(await value('{"info": {"name": "a", "name": null}}'), undefined)
  t.equal(await value('{"info": {"name": "a", "name": {}}}'), undefined)
  t.equal(await value('{"info": {"name": "a"}, "info": {}}'), undefined)
  t.equal(await value('{"info": {"name": "a"}, "info": 1}'), undefined)
  t.equal(await value('{"info.name": "a"}'), undefined, 'a key with a dot is another one')
  t.equal(await value(JSON.stringify({ info: { name: 'x'.repeat(5000) } })), undefined, 'no name')
})

t.test('more groups than are remembered', async t => {
  const groups = Array.from({ length: 20_003 }, (_, at) => `"${at}":[${at}]`)
  const text = `{"releases": {"0": [7], ${groups.join()}, "20002": [8]}}`
  const { outline, entries } = await passes(text, ['releases'], 65_536)
  t.equal(entries.length, 20_004, 'of the first groups the last counts, of those after the limit all')
  t.equal(outline.count('releases'), 20_004)
  t.equal(outline.count('releases', '19999'), 1)
  t.equal(outline.count('releases', '20002'), 20_004, 'it is sooner there than not')
})
