import t from 'tap'
import { finite, httpUrl, integer, oneOf, text } from '../../lib/options.js'

const CODE = 'ERR_MILLRACE_OPTION'

t.test('integer', async t => {
  t.equal(integer('n', 1, 1), 1)
  t.equal(integer('n', 3, 1, 3), 3)
  for (const value of [
    0,
    4,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '2',
    null,
    undefined,
    2n,
    {},
    [],
    true
  ])
    t.throws(() => integer('n', value, 1, 3), { code: CODE, option: 'n' })
})

t.test('finite', async t => {
  t.equal(finite('x', 0.5, 0), 0.5)
  t.equal(finite('x', 2, 0, 2), 2)
  for (const value of [-0.1, 2.1, Number.NaN, Number.POSITIVE_INFINITY, '1'])
    t.throws(() => finite('x', value, 0, 2), { code: CODE, option: 'x' })
})

t.test('oneOf', async t => {
  t.equal(oneOf('word', 'a', ['a', 'b']), 'a')
  t.throws(() => oneOf('word', 'c', ['a', 'b']), { code: CODE, option: 'word' })
  t.throws(() => oneOf('word', undefined, ['a', 'b']), { code: CODE })
})

t.test('text', async t => {
  t.equal(text('name', 'x'), 'x')
  for (const value of ['', 1, null, undefined]) t.throws(() => text('name', value), { code: CODE })
})

t.test('httpUrl', async t => {
  t.equal(httpUrl('url', 'https://example.org/simple').href, 'https://example.org/simple')
  t.equal(httpUrl('url', new URL('http://example.org')).href, 'http://example.org/')
  for (const value of ['simple/', 'ftp://example.org', new URL('file:///tmp'), '', 7, null, undefined])
    t.throws(() => httpUrl('url', value), { code: CODE, option: 'url' })
})

t.test('a message names the option, the rule and the value with its type, and no password', async t => {
  const message = (run: () => unknown): string => {
    try {
      run()
    } catch (error) {
      return (error as Error).message
    }
    throw new Error('nothing was thrown')
  }
  t.equal(
    message(() => integer('depth', '5', 1)),
    'The option depth must be a whole number of 1 or more, but is string "5"'
  )
  t.equal(
    message(() => finite('pace', Number.NaN, 0)),
    'The option pace must be a number of 0 or more, but is number NaN'
  )
  t.match(
    message(() => finite('pace', 3, 0, 1)),
    'from 0 to 1'
  )
  t.match(
    message(() => integer('depth', 9, 1, 3)),
    'from 1 to 3, but is number 9'
  )
  t.match(
    message(() => oneOf('kind', ['a'], ['a', 'b'])),
    "one of 'a', 'b', but is an array of 1"
  )
  t.match(
    message(() => text('name', {})),
    'an object'
  )
  t.match(
    message(() => text('name', null)),
    'object null'
  )
  t.ok(message(() => integer('n', 'x'.repeat(1000), 1)).length < 200)
  for (const url of [
    'ftp://me:s3cret@host/x?key=s3cret',
    'me:s3cret@host',
    'http://me:s3cret@ho st/',
    new URL('ftp://me:s3cret@host')
  ])
    t.notMatch(
      message(() => httpUrl('url', url)),
      /s3cret/
    )
})
