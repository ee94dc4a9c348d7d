import t from 'tap'
import {
  BodyTooLargeError,
  DigestError,
  type DownloadError,
  EncodingError,
  NetworkError,
  RedirectError,
  SizeError,
  StatusError,
  TemporaryFileError,
  TimeoutError,
  UrlError
} from '../../../lib/errors.js'
import {
  isRetried,
  NOT_RETRIED_CODES,
  retryAfterMs,
  retryDelay,
  retryPolicy
} from '../../../lib/http/retry.js'

const url = 'https://example.org/x'

t.test('what is tried again', async t => {
  const network = (code: string) => new NetworkError(url, Object.assign(new Error(code), { code }))
  const yes: DownloadError[] = [
    ...[408, 425, 429, 500, 502, 503, 504].map(status => new StatusError(url, status)),
    ...[
      'ECONNREFUSED',
      'ECONNRESET',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EPIPE',
      'UND_ERR_SOCKET',
      'EHOSTUNREACH',
      'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
    ].map(network),
    new NetworkError(url, 'a word'),
    new NetworkError(url, undefined),
    new TimeoutError(url, 'x'),
    new SizeError(url, 1, 2),
    new DigestError(url, 'md5', 'a', 'b'),
    new EncodingError(url, 'gzip')
  ]
  const no: DownloadError[] = [
    ...[206, 300, 304, 400, 401, 403, 404, 405, 410, 416, 451, 501, 505].map(
      status => new StatusError(url, status)
    ),
    ...[...NOT_RETRIED_CODES].map(network),
    new BodyTooLargeError(url, 1),
    new RedirectError(url, 'x'),
    new UrlError(url, 'x'),
    new TemporaryFileError(url, '/x', new Error('full'))
  ]
  for (const error of yes) t.equal(isRetried(error), true, error.message)
  for (const error of no) t.equal(isRetried(error), false, error.message)
})

t.test('the wait', async t => {
  const policy = retryPolicy({ minTimeout: 100, maxTimeout: 1000, timeoutFactor: 2 })
  const error = new TimeoutError(url, 'x')
  t.strictSame(
    [0, 1, 2, 3, 4, 50].map(retry => retryDelay(policy, error, retry, () => 1)),
    [100, 200, 400, 800, 1000, 1000]
  )
  t.equal(
    retryDelay(policy, error, 3, () => 0),
    0,
    'full jitter'
  )
  t.equal(
    retryDelay(policy, error, 3, () => 0.5),
    400
  )
  for (let at = 0; at < 100; at++) t.ok(retryDelay(policy, error, 2) <= 400)
  t.equal(
    retryDelay(policy, new StatusError(url, 429, '0'), 2, () => 1),
    0
  )
  t.equal(
    retryDelay(policy, new StatusError(url, 503, '1'), 0, () => 1),
    1000
  )
  t.equal(
    retryDelay(policy, new StatusError(url, 503, '86400'), 0, () => 1),
    1000,
    'capped'
  )
  t.equal(
    retryDelay(policy, new StatusError(url, 503, 'soon'), 0, () => 1),
    100
  )
  t.equal(
    retryDelay(policy, new StatusError(url, 503), 0, () => 1),
    100
  )
  const deaf = retryPolicy({ minTimeout: 100, retryAfter: false })
  t.equal(
    retryDelay(deaf, new StatusError(url, 503, '1'), 0, () => 1),
    100
  )
})

t.test('Retry-After', async t => {
  const now = Date.UTC(2025, 0, 1)
  t.equal(retryAfterMs('120', now), 120_000)
  t.equal(retryAfterMs(' 0 ', now), 0)
  t.equal(retryAfterMs('Wed, 01 Jan 2025 00:00:07 GMT', now), 7000)
  t.equal(retryAfterMs('Wednesday, 01-Jan-25 00:00:07 GMT', now), 7000)
  t.equal(retryAfterMs('Tue, 31 Dec 2024 00:00:00 GMT', now), 0, 'past')
  t.ok((retryAfterMs(new Date(Date.now() + 60_000).toUTCString()) ?? 0) > 50_000)
  for (const header of [undefined, '', 'soon', '-5x', '1.5.2']) t.equal(retryAfterMs(header, now), undefined)
})

t.test('defaults and options', async t => {
  const defaults = { maxRetries: 3, minTimeout: 500, maxTimeout: 30_000, timeoutFactor: 2, retryAfter: true }
  t.strictSame(retryPolicy(), defaults)
  t.strictSame(retryPolicy({ maxRetries: undefined, retryAfter: undefined }), defaults)
  for (const [option, value] of Object.entries({
    maxRetries: 1.5,
    minTimeout: -1,
    maxTimeout: 2 ** 31,
    timeoutFactor: 0.9
  }))
    t.throws(() => retryPolicy({ [option]: value }), { code: 'ERR_MILLRACE_OPTION', option })
})
