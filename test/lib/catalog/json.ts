import t from 'tap'
import { encodeJson, encodeText } from '../../../lib/catalog/json.js'

t.test('JSON is as always, but for what PostgreSQL has not', async t => {
  for (const value of ['a', ['é', 1, null, { b: '\u0007\n"\\' }], '😀', '\\u0000', '\\\\ud800', undefined]) {
    t.equal(encodeJson([value]), JSON.stringify([value]))
  }
  t.strictSame(JSON.parse(encodeJson(['a\0b', '\ud83d', '\ude00x', '\\\0\\', '\u0001'])), [
    'a\ufffdb',
    '\ufffd',
    '\ufffdx',
    '\\\ufffd\\',
    '\u0001'
  ])
})

t.test('text is as its JSON would be', async t => {
  for (const text of ['', 'a', '😀', 'a\0b\0', '\ud83d', 'x\ude00', '\\u0000'])
    t.equal(encodeText(text), JSON.parse(encodeJson(text)))
})
