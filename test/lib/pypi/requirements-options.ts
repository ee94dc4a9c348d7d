import t from 'tap'
import { divideLine, parseLineOptions } from '../../../lib/pypi/requirements-options.js'

const read = (text: string): string[] =>
  parseLineOptions(text, 'F:1').map(({ name, value }) => (value === undefined ? name : `${name} ${value}`))

t.test('a line is a requirement and options', async t => {
  t.strictSame(divideLine('a-b>=1 ; x --hash=y -z'), { requirement: 'a-b>=1 ; x', options: '--hash=y -z' })
  t.strictSame(divideLine('-r x'), { requirement: '', options: '-r x' })
  t.strictSame(divideLine('a'), { requirement: 'a', options: '' })
})

t.test('options in every way in which pip takes them', async t => {
  t.strictSame(read(''), [])
  t.strictSame(read('-r a -rb --requirement c --requirement=d --requirem e'), [
    '--requirement a',
    '--requirement b',
    '--requirement c',
    '--requirement d',
    '--requirement e'
  ])
  t.strictSame(read('-i u --extra-index-url=v -f w -c x -e y -C z'), [
    '--index-url u',
    '--extra-index-url v',
    '--find-links w',
    '--constraint x',
    '--editable y',
    '--config-settings z'
  ])
  t.strictSame(read('--pre --no-index --prefer-binary --require-hashes'), [
    '--pre',
    '--no-index',
    '--prefer-binary',
    '--require-hashes'
  ])
  t.strictSame(read(`-r "a b" -r 'c d' -r e\\ f --config-settings="k=\\"v\\" w" --hash=`), [
    '--requirement a b',
    '--requirement c d',
    '--requirement e f',
    '--config-settings k="v" w',
    '--hash '
  ])
})

t.test('what pip does not take', async t => {
  for (const text of [
    '--frobnicate',
    '-x',
    '-',
    '--',
    '--no',
    '--pre=1',
    '-r',
    '--hash',
    '-r "a',
    "-r 'a",
    '-r a\\',
    '--a:b'
  ])
    t.throws(() => read(text), { code: 'ERR_MILLRACE_REQUIREMENT', where: 'F:1' }, text)
})
