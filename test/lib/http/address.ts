import type { LookupAddress } from 'node:dns'
import t from 'tap'
import { checkUrl, isPrivateHost, isPublicAddress } from '../../../lib/http/address.js'

const PRIVATE = [
  '127.0.0.1',
  '127.8.8.8',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fc00::1',
  'fd12:3456::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'ff02::1'
]
const PUBLIC = ['8.8.8.8', '151.101.0.223', '2a04:4e42::223', '::ffff:8.8.8.8']

t.test('addresses', async t => {
  for (const address of PRIVATE) t.equal(isPublicAddress(address), false, address)
  for (const address of PUBLIC) t.equal(isPublicAddress(address), true, address)
  t.equal(isPublicAddress('example.org'), false)
})

t.test('hosts', async t => {
  for (const host of [
    ...PRIVATE.map(one => (one.includes(':') ? `[${one}]` : one)),
    'localhost',
    'LOCALHOST',
    'a.localhost',
    'localhost.',
    'printer.local',
    'db.internal',
    'x.localdomain'
  ])
    t.equal(isPrivateHost(host), true, host)
  for (const host of [
    'pypi.org',
    'localhost.example.org',
    'notlocal',
    'internal.example.org',
    '8.8.8.8',
    '[2a04:4e42::223]'
  ])
    t.equal(isPrivateHost(host), false, host)
})

t.test('URLs', async t => {
  t.equal(checkUrl('https://pypi.org/simple/', false).href, 'https://pypi.org/simple/')
  t.equal(checkUrl(new URL('http://127.0.0.1:1/'), true).port, '1')
  const refused: [string, boolean][] = [
    ['', true],
    ['simple/', true],
    ['//pypi.org/', true],
    ['file:///etc/passwd', true],
    ['ftp://example.org/', true],
    ['data:text/plain,x', true],
    ['javascript:alert(1)', true],
    ['http://localhost/', false],
    ['http://127.0.0.1/', false],
    // The ways of writing 127.0.0.1 that the URL standard knows.
    ['http://2130706433/', false],
    ['http://0x7f.1/', false],
    ['http://0177.0.0.1/', false],
    ['http://[::ffff:7f00:1]/', false],
    ['http://１２７.0.0.1/', false]
  ]
  for (const [url, allowPrivate] of refused)
    t.throws(() => checkUrl(url, allowPrivate), { code: 'ERR_MILLRACE_URL' }, url)
  t.throws(() => checkUrl(undefined as never, true), { code: 'ERR_MILLRACE_URL' })
})

t.test('a name that leads to a private address', async t => {
  const answers: Record<string, LookupAddress[] | Error> = {
    'public.test': [
      { address: '8.8.8.8', family: 4 },
      { address: '2a04:4e42::223', family: 6 }
    ],
    'rebound.test': [
      { address: '8.8.8.8', family: 4 },
      { address: '10.0.0.1', family: 4 }
    ],
    'none.test': Object.assign(new Error('not found'), { code: 'ENOTFOUND' }),
    'empty.test': []
  }
  const { publicLookup } = await t.mockImport<typeof import('../../../lib/http/address.js')>(
    '../../../lib/http/address.js',
    {
      'node:dns': {
        lookup: (
          hostname: string,
          options: { all: boolean },
          callback: (error: Error | null, found?: LookupAddress[]) => void
        ) => {
          t.equal(options.all, true, 'all are looked at')
          const answer = answers[hostname] ?? new Error('unexpected')
          if (answer instanceof Error) callback(answer)
          else callback(null, answer)
        }
      }
    }
  )
  const lookup = (hostname: string, all: boolean): Promise<unknown> =>
    new Promise(resolve => publicLookup(hostname, { all }, (error, ...found) => resolve(error ?? found)))
  t.strictSame(await lookup('public.test', true), [answers['public.test']])
  t.strictSame(await lookup('public.test', false), ['8.8.8.8', 4])
  t.strictSame(await lookup('empty.test', false), ['', 4])
  t.match(await lookup('rebound.test', true), { code: 'EPRIVATE', message: /rebound\.test.*10\.0\.0\.1/ })
  t.match(await lookup('rebound.test', false), { code: 'EPRIVATE' })
  t.match(await lookup('none.test', true), { code: 'ENOTFOUND' })
})
