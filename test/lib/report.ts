import t from 'tap'
import { BusyError, RecordError, StatusError } from '../../lib/errors.js'
import { emptyReport, failureOf } from '../../lib/report.js'

t.test('a report begins with nothing in it, and shares nothing with another', async t => {
  const [one, other] = [emptyReport('a'), emptyReport('b')]
  t.strictSame(one, { ...other, repository: 'a' })
  one.projects.listed++
  one.failures.push(failureOf(new Error('no'), {}))
  t.strictSame(other, emptyReport('b'))
})

t.test('a failure says what could not be had, and how hard it was tried', async t => {
  const status = new StatusError('https://index.example/simple/a/', 503)
  status.attempts = 4
  t.strictSame(failureOf(status, { project: 'a', url: 'https://user:secret@index.example/simple/a/' }), {
    ...{ code: 'ERR_MILLRACE_STATUS', project: 'a', filename: undefined, attempts: 4 },
    ...{ url: 'https://index.example/simple/a/', message: status.message }
  })
  const record = new RecordError('https://index.example/simple/a/', 'x', 'it is no file name')
  t.match(failureOf(record, { project: 'a', filename: 'x' }), {
    ...{ code: 'ERR_MILLRACE_RECORD', filename: 'x', attempts: 0 },
    url: 'https://index.example/simple/a/'
  })
})

t.test('an error without a URL has that of its item, if any', async t => {
  t.equal(failureOf(new BusyError('x'), {}).url, undefined)
  t.equal(failureOf(new BusyError('x'), { url: 'https://index.example/' }).url, 'https://index.example/')
  t.match(failureOf(new TypeError('not ours'), {}), {
    code: 'ERR_MILLRACE_UNKNOWN',
    attempts: 0,
    message: 'not ours'
  })
})
