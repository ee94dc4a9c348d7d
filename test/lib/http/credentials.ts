import { join } from 'node:path'
import t from 'tap'
import {
  basicAuthorization,
  createAuthorization,
  parseNetrc,
  readNetrc
} from '../../../lib/http/credentials.js'

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

t.test('of a URL', async t => {
  t.equal(basicAuthorization(new URL('https://example.org/')), undefined)
  t.equal(basicAuthorization(new URL('https://me:secret@example.org/')), basic('me:secret'))
  t.equal(basicAuthorization(new URL('https://me@example.org/')), basic('me:'))
  t.equal(basicAuthorization(new URL('https://:secret@example.org/')), basic(':secret'))
  t.equal(basicAuthorization(new URL('https://a%40b:%C3%A4%2F%3A@example.org/')), basic('a@b:ä/:'))
  t.equal(basicAuthorization(new URL('https://me:100%@example.org/')), basic('me:100%'))
})

t.test('each for its origin, and for no other', async t => {
  const url = 'https://index.example/simple/'
  const cases: [Parameters<typeof createAuthorization>[0], string | undefined][] = [
    [{}, undefined],
    [{ url }, undefined],
    [{ url: 'https://me:secret@index.example/simple/' }, basic('me:secret')],
    [{ url: new URL('https://me:secret@index.example') }, basic('me:secret')],
    [{ url, username: 'me', password: 'secret' }, basic('me:secret')],
    [{ url, username: 'me' }, basic('me:')],
    [{ url, password: 'secret' }, basic(':secret')],
    [{ url: 'https://other:one@index.example/', username: 'me', password: 'secret' }, basic('me:secret')],
    [{ url, token: 'abc.def' }, 'Bearer abc.def']
  ]
  for (const [options, expected] of cases) {
    const authorization = createAuthorization(options)
    t.equal(authorization('https://index.example'), expected)
    for (const origin of [
      'http://index.example',
      'https://index.example:8443',
      'https://files.example',
      'https://x.index.example'
    ])
      t.equal(authorization(origin), undefined, origin)
  }
  t.throws(() => createAuthorization({ token: 'x' }), { code: 'ERR_MILLRACE_OPTION', option: 'url' })
  t.throws(() => createAuthorization({ username: 'x' }), { code: 'ERR_MILLRACE_OPTION', option: 'url' })
  t.throws(() => createAuthorization({ url: 'index.example' }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'url'
  })
  t.throws(() => createAuthorization({ url, token: '' }), { code: 'ERR_MILLRACE_OPTION', option: 'token' })
})

t.test('netrc, as it is written', async t => {
  const hosts = parseNetrc(`
# a comment
machine one.example login me password secret
machine two.example
  login you   # this is a comment only at the beginning of a line for some, so it is no word that matters
  account whatever
  # another comment
  password "with \\"quotes\\" and blanks"
machine macro.example login m password p
macdef init
machine hidden.example login no password no

machine after.example user u password #hash
machine ONE.example login again password again
default login anonymous password everybody
machine last.example password p
`)
  t.strictSame(Object.fromEntries(hosts), {
    'one.example': { login: 'me', password: 'secret' },
    'two.example': { login: 'you', password: 'with "quotes" and blanks' },
    'macro.example': { login: 'm', password: 'p' },
    'after.example': { login: 'u', password: '#hash' },
    'last.example': { login: '', password: 'p' }
  })
  t.equal(parseNetrc('').size, 0)
  t.equal(parseNetrc('machine').size, 1)
  t.strictSame(parseNetrc('machine a\r\nlogin b\r\npassword c\r\n').get('a'), { login: 'b', password: 'c' })
})

t.test('netrc, where it lies', async t => {
  const home = t.testdir({
    '.netrc': 'machine home.example login h password p',
    other: 'machine other.example login o password p',
    old: { _netrc: 'machine old.example login o password p' },
    empty: {}
  })
  t.ok(readNetrc(undefined, home).has('home.example'))
  t.ok(readNetrc('', home).has('home.example'))
  t.ok(readNetrc(undefined, join(home, 'old')).has('old.example'))
  t.equal(readNetrc(undefined, join(home, 'empty')).size, 0)
  t.ok(readNetrc(join(home, 'other'), home).has('other.example'))
  t.throws(() => readNetrc(join(home, 'none')), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'netrc',
    message: /ENOENT/
  })

  const given = createAuthorization({ url: 'https://me:secret@home.example/', netrc: join(home, 'other') })
  t.equal(given('https://home.example'), basic('me:secret'))
  t.equal(given('http://other.example:8080'), basic('o:p'))
  t.equal(given('http://third.example'), undefined)

  const { NETRC } = process.env
  t.teardown(() => {
    if (NETRC === undefined) delete process.env.NETRC
    else process.env.NETRC = NETRC
  })
  process.env.NETRC = join(home, '.netrc')
  t.equal(createAuthorization({ netrc: true })('https://home.example'), basic('h:p'))
  t.equal(createAuthorization({ netrc: false })('https://home.example'), undefined)
})
