import t from 'tap'
import { continuation, validator } from '../../../lib/http/resume.js'

const modified = 'Wed, 01 Jan 2025 00:00:00 GMT'

t.test('validator', async t => {
  t.equal(validator({ etag: '"a"', 'last-modified': modified }), '"a"')
  t.equal(
    validator({ etag: 'W/"a"', 'last-modified': modified, date: 'Wed, 01 Jan 2025 01:00:00 GMT' }),
    undefined
  )
  t.equal(validator({ 'last-modified': modified, date: 'Wed, 01 Jan 2025 00:00:01 GMT' }), modified)
  t.equal(
    validator({ 'last-modified': modified, date: modified }),
    undefined,
    'it may have changed in the same second'
  )
  t.equal(validator({ 'last-modified': modified }), undefined)
  t.equal(validator({ 'last-modified': modified, date: 'now' }), undefined)
  t.equal(validator({ date: modified }), undefined)
  t.equal(validator({ etag: ['"a"', '"b"'] as never }), undefined)
})

t.test('continuation', async t => {
  const range = 'bytes 500-999/1000'
  t.equal(continuation({ 'content-range': range, etag: '"a"' }, 500, '"a"'), 1000)
  t.equal(continuation({ 'content-range': range }, 500, '"a"'), 1000)
  t.equal(continuation({ 'content-range': range, etag: '"b"' }, 500, '"a"'), undefined, 'another version')
  t.equal(continuation({ 'content-range': range, etag: '"b"' }, 500, modified), 1000, 'asked by date')
  for (const other of [
    'bytes 0-999/1000',
    'bytes 501-999/1000',
    'bytes 500-899/1000',
    'bytes 500-999/*',
    'items 500-999/1000',
    '',
    'bytes */1000',
    'bytes 500-999/1000, bytes 0-1/1000'
  ])
    t.equal(continuation({ 'content-range': other }, 500, '"a"'), undefined, other)
  t.equal(continuation({}, 500, '"a"'), undefined)
})
