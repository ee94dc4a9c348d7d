import t from 'tap'
import { settledLastModified } from '../../../lib/http/last-modified.js'

const at = (ms: number) => new Date(Date.UTC(2024, 0, 1) + ms).toUTCString()

t.test('a date stands for a document that had not changed for a minute', async t => {
  const modified = at(0)
  const told = (date: string | undefined) => settledLastModified({ 'last-modified': modified, date })
  t.equal(told(at(60_000)), modified)
  t.equal(told(at(59_000)), undefined)
  t.equal(told(at(-60_000)), undefined, 'a clock that runs ahead')
  t.equal(told(undefined), modified, 'long ago by our own clock')
  t.equal(settledLastModified({ 'last-modified': new Date().toUTCString() }), undefined)
})

t.test('what is no date', async t => {
  t.equal(settledLastModified({}), undefined)
  t.equal(settledLastModified({ 'last-modified': 'then' }), undefined)
  t.equal(settledLastModified({ 'last-modified': at(0), date: 'now' }), undefined)
  t.equal(settledLastModified({ 'last-modified': [at(0)] }), undefined)
})
