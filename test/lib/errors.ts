import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import t from 'tap'
import * as errors from '../../lib/errors.js'

const url = 'https://example.org/x'
const cause = Object.assign(new Error('of the system'), { code: 'EWHY' })

/** One of each class, its message, and the fields that people may rely on. */
const MADE: [errors.MillraceError, string, string, object][] = [
  [
    new errors.OptionError('depth', 'a whole number', 'string "x"'),
    'ERR_MILLRACE_OPTION',
    'The option depth must be a whole number, but is string "x"',
    { option: 'depth' }
  ],
  [
    new errors.StatusError(url, 503, '120'),
    'ERR_MILLRACE_STATUS',
    `${url} answered with status 503`,
    { url, statusCode: 503, retryAfter: '120', attempts: 0, durationMs: 0 }
  ],
  [
    new errors.NetworkError(url, cause),
    'ERR_MILLRACE_NETWORK',
    `${url} could not be reached: of the system`,
    { url, cause }
  ],
  [
    new errors.TimeoutError(url, 'no headers in time', cause),
    'ERR_MILLRACE_TIMEOUT',
    `${url} took too long: no headers in time`,
    { url, cause }
  ],
  [
    new errors.SizeError(url, 3, 5),
    'ERR_MILLRACE_SIZE',
    `${url} has 5 bytes where 3 were promised`,
    { url, expected: 3, found: 5 }
  ],
  [
    new errors.DigestError(url, 'md5', 'aa', 'bb'),
    'ERR_MILLRACE_DIGEST',
    `${url} has the md5 bb where aa was promised`,
    { url, algorithm: 'md5', expected: 'aa', found: 'bb' }
  ],
  [
    new errors.BodyTooLargeError(url, 7),
    'ERR_MILLRACE_BODY_TOO_LARGE',
    `${url} has more than the 7 bytes allowed`,
    { url, maxBytes: 7 }
  ],
  [
    new errors.EncodingError(url, 'gzip', cause),
    'ERR_MILLRACE_ENCODING',
    `${url} cannot be decoded as gzip`,
    { url, cause }
  ],
  [
    new errors.RedirectError(url, 'from https to http'),
    'ERR_MILLRACE_REDIRECT',
    `${url} was redirected from https to http`,
    { url }
  ],
  [new errors.UrlError(url, 'it is odd'), 'ERR_MILLRACE_URL', `${url} is not fetched: it is odd`, { url }],
  [
    new errors.TemporaryFileError(url, '/tmp/x', cause),
    'ERR_MILLRACE_TEMPORARY_FILE',
    `${url} could not be kept in /tmp/x: of the system`,
    { url, cause }
  ],
  [
    new errors.DocumentError(url, 'it is no JSON', cause),
    'ERR_MILLRACE_DOCUMENT',
    `${url} cannot be read: it is no JSON`,
    { url, cause }
  ],
  [
    new errors.RecordError(url, 'a.whl', 'it has no URL'),
    'ERR_MILLRACE_RECORD',
    `"a.whl" of ${url} cannot be used: it has no URL`,
    { url, filename: 'a.whl' }
  ],
  [
    new errors.RequirementError('x=1', 'an operator is missing', 'list.txt:3', 1),
    'ERR_MILLRACE_REQUIREMENT',
    'list.txt:3: the requirement "x=1" cannot be read: an operator is missing',
    { requirement: 'x=1', why: 'an operator is missing', where: 'list.txt:3', position: 1 }
  ],
  [
    new errors.CatalogError('a.db', 'cannot be opened', cause),
    'ERR_MILLRACE_CATALOG',
    'The catalog a.db cannot be opened',
    { catalog: 'a.db', cause }
  ],
  [
    new errors.BusyError('pypi'),
    'ERR_MILLRACE_BUSY',
    'The repository pypi is being synced by another process',
    { repository: 'pypi' }
  ],
  [
    new errors.RunEndedError(7),
    'ERR_MILLRACE_RUN_ENDED',
    'Run 7 has ended: another process committed it, or took its repository over',
    { run: 7 }
  ],
  [
    new errors.ClusterError(7, 'another worker has shard 2 now'),
    'ERR_MILLRACE_CLUSTER',
    'Run 7 of the cluster: another worker has shard 2 now',
    { run: 7 }
  ],
  [
    new errors.RemovalsError('pypi', 12, 3, 0.1),
    'ERR_MILLRACE_REMOVALS',
    '3 projects with 12 packages of the repository pypi are gone from the index, more than maxRemovals (0.1) lets one run remove: they were kept',
    { repository: 'pypi', packages: 12, projects: 3, maxRemovals: 0.1 }
  ],
  [
    new errors.PublishError('/srv/www', 'is not ours', cause),
    'ERR_MILLRACE_PUBLISH',
    'The folder /srv/www is not ours',
    { directory: '/srv/www', cause }
  ],
  [
    new errors.StoreError('/s/x', 'write', cause),
    'ERR_MILLRACE_STORE',
    'The store cannot write /s/x: of the system',
    { path: '/s/x', cause }
  ]
]

for (const [error, code, message, fields] of MADE) {
  t.test(error.name, async t => {
    t.equal(error.code, code)
    t.equal(error.message, message)
    t.match(error, fields)
    t.equal(error.name, error.constructor.name)
    t.equal(error instanceof errors.MillraceError && error instanceof Error, true)
    t.ok(inspect(error).startsWith(`${error.name}: ${message}`))
    if ('cause' in fields) t.equal(error.cause, cause)
    else t.notOk('cause' in error)
  })
}

t.test('what is left out', async t => {
  t.equal(new errors.NetworkError(url, 'a word').message, `${url} could not be reached: a word`)
  const nameless = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  t.equal(new errors.NetworkError(url, nameless).message, `${url} could not be reached: ECONNREFUSED`)
  for (const error of [
    new errors.DocumentError(url, 'x'),
    new errors.CatalogError('a.db', 'x'),
    new errors.StoreError('/s', 'read'),
    new errors.PublishError('/s', 'x'),
    new errors.EncodingError(url, 'x')
  ])
    t.notOk('cause' in error)
  t.match(new errors.RecordError(url, undefined, 'x').message, /^A file of /)
  t.match(new errors.RequirementError('x', 'y').message, /^the requirement/)
  t.match(new errors.StoreError('/s', 'read', 'a word').message, /read \/s$/)
})

t.test('the codes here, in the sources and in the documentation are the same', async t => {
  const codes = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, code]) => code).toSorted()
  const source = readFileSync('lib/errors.ts', 'utf8')
  const documentation = readFileSync('docs/errors.md', 'utf8')
  const defined = codes(source, /code = '(ERR_MILLRACE_\w+)'/g)
  t.strictSame(MADE.map(([, code]) => code).toSorted(), defined, 'each is made in this test')
  t.strictSame(codes(documentation, /^### (ERR_MILLRACE_\w+)$/gm), defined, 'each has its section')
  t.strictSame(codes(documentation, /^\| \[`(ERR_MILLRACE_\w+)`\]/gm), defined, 'each is in the table')
  t.strictSame(
    codes(documentation, /\]\(#(err_millrace_\w+)\)/g),
    defined.map(code => code?.toLowerCase()),
    'each is linked to'
  )
  t.equal(new Set(defined).size, defined.length, 'none is there twice')
})

t.test('the sections name the class and each field of its own', async t => {
  const documentation = readFileSync('docs/errors.md', 'utf8')
  for (const [error, code, , fields] of MADE) {
    const section = documentation.split(`### ${code}\n`)[1]?.split('\n### ')[0] ?? ''
    t.ok(section.includes(`\`${error.name}\``), `${error.name} is named`)
    const inherited = error instanceof errors.DownloadError ? ['url', 'attempts', 'durationMs'] : []
    for (const field of Object.keys(fields)) {
      if (inherited.includes(field)) continue
      t.ok(section.includes(`\`${field}`), `${field} of ${code}`)
    }
    t.match(section, /_Do:_/)
  }
})
