import fc from 'fast-check'
import t from 'tap'
import { redactUrl } from '../../../lib/http/redact.js'

t.test('what is shown of a URL', async t => {
  const cases: [string | URL, string][] = [
    ['https://example.org/simple/', 'https://example.org/simple/'],
    ['https://me:s3cret@example.org:8443/simple/?token=s3cret#s3cret', 'https://example.org:8443/simple/'],
    [new URL('http://me@example.org/'), 'http://example.org/'],
    ['https://example.org/@scope/name', 'https://example.org/@scope/name'],
    ['postgres://me:s3cret@db.example/catalog?sslkey=s3cret', 'postgres://db.example/catalog'],
    ['postgres://me:s3/c?re#t@db.example/catalog', 'postgres://db.example/catalog'],
    ['me:s3cret@example.org/simple', 'example.org/simple'],
    ['http://me:s3 cret@ho st/simple', 'http://ho'],
    ['http://me:s3cret@:port/simple?s3cret', 'http://:port/simple'],
    ['../files/x.whl?s3cret', '../files/x.whl'],
    ['file:///tmp/x', 'file:///tmp/x'],
    ['', '']
  ]
  for (const [url, shown] of cases) t.equal(redactUrl(url), shown)
})

t.test('long ones are cut', async t => {
  t.equal(redactUrl(`https://example.org/${'x'.repeat(10_000)}`).length, 501)
  t.equal(redactUrl('y'.repeat(10_000)).length, 501)
})

t.test('a password never shows, in whatever kind of URL', async () => {
  const secret = 'Hf7-Zq_2'
  const part = fc.string({ unit: 'grapheme-ascii', maxLength: 10 }).map(text => text.replaceAll('@', ''))
  // With these unescaped, what follows is the path of another, whole URL.
  const httpPart = part.map(text => text.replace(/[/\\?#]/g, ''))
  const schemes = (...all: string[]) => fc.constantFrom(...all)
  for (const [scheme, around] of [
    [schemes('postgres://', 'ftp://', '', '//', 'a:'), part],
    [schemes('http://', 'https://', 'HTTP://', 'http:', 'http:\\\\'), httpPart]
  ] as const) {
    fc.assert(
      fc.property(
        scheme,
        around,
        around,
        around,
        (start, user, more, host) => !redactUrl(`${start}${user}:${secret}${more}@${host}/x`).includes(secret)
      ),
      { seed: 4, numRuns: 2000 }
    )
  }
})
