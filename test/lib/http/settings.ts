import t from 'tap'
import { sharedDispatcher } from '../../../lib/http/agent.js'
import { Origins } from '../../../lib/http/origins.js'
import { downloadSettings } from '../../../lib/http/settings.js'

t.test('defaults, and what is given in their place', async t => {
  const defaults = downloadSettings({ maxRetries: undefined, origins: undefined })
  t.match(defaults, {
    maxMemoryBytes: 1024 ** 2,
    maxRedirects: 10,
    retry: { maxRetries: 3 },
    allowPrivate: true
  })
  t.match(defaults.headers['user-agent'], /^millrace\/\d/)
  t.equal(defaults.dispatcher, sharedDispatcher(true))
  t.equal(downloadSettings({ allowPrivate: false }).dispatcher, sharedDispatcher(false))

  const origins = new Origins()
  const given = downloadSettings({
    origins,
    headers: { 'User-Agent': 'x', 'X-A': '1' },
    directory: '/somewhere'
  })
  t.equal(given.origins, origins)
  t.strictSame(given.headers, { 'user-agent': 'x', 'x-a': '1' })
  t.equal(given.directory, '/somewhere')
})

t.test('what cannot be', async t => {
  for (const option of [
    'maxMemoryBytes',
    'maxBodyBytes',
    'maxRedirects',
    'headersTimeout',
    'bodyTimeout',
    'deadlineMs'
  ])
    t.throws(() => downloadSettings({ [option]: -1 }), { code: 'ERR_MILLRACE_OPTION', option })
  t.throws(() => downloadSettings({ headersTimeout: 2 ** 31 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'headersTimeout'
  })
  t.throws(() => downloadSettings({ minBytesPerSecond: -1 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'minBytesPerSecond'
  })
  t.throws(() => downloadSettings({ maxRetries: -1 }), { code: 'ERR_MILLRACE_OPTION', option: 'maxRetries' })
})
