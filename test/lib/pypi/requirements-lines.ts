import t from 'tap'
import { decodeRequirements, requirementLines } from '../../../lib/pypi/requirements-lines.js'

const lines = (content: string, env: Record<string, string> = {}): string[] =>
  [...requirementLines(content, env)].map(({ number, text }) => `${number} ${text}`)

t.test('comments and empty lines go, numbers stay', async t => {
  t.strictSame(lines('# a\n\n  b  # c\r\nd#e\re  #f\n \t \n'), ['3 b', '4 d#e', '5 e'])
  t.strictSame(lines(''), [])
})

t.test('a backslash at the end joins lines, under the number of the first', async t => {
  t.strictSame(lines('a \\\n  --hash=x \\\n  --hash=y\nb'), ['1 a   --hash=x   --hash=y', '4 b'])
  t.strictSame(lines('a \\\n# c \\\nb'), ['1 a', '3 b'], 'a comment ends it')
  t.strictSame(lines('a\\'), ['1 a'], 'also at the end of the file')
  t.strictSame(lines('\\\n\\\na'), ['3 a'])
  t.strictSame(lines('# c \\\na'), ['2 a'])
})

t.test('environment variables', async t => {
  const env = { NAME: 'six', VERSION_1: '1.0', EMPTY: '' }
  t.strictSame(lines(`\${NAME}==\${VERSION_1} $NAME \${name} \${EMPTY} \${UNSET} # \${NAME}`, env), [
    `1 six==1.0 $NAME \${name} \${EMPTY} \${UNSET}`
  ])
})

t.test('encodings', async t => {
  const utf16be = Buffer.from('\ufeffa é', 'utf16le').swap16()
  for (const data of [
    Buffer.from('a é'),
    Buffer.from('\ufeffa é'),
    Buffer.from('\ufeffa é', 'utf16le'),
    utf16be,
    new Uint8Array(Buffer.from('a é'))
  ])
    t.equal(decodeRequirements(data, 'F'), 'a é')
  const latin1 = Buffer.from('#!x\n# -*- coding: latin-1 -*-\na é', 'latin1')
  t.match(decodeRequirements(latin1, 'F'), /a é$/)
  for (const data of [
    Buffer.from('a é', 'latin1'),
    Buffer.from('# coding: klingon\na'),
    Buffer.from('fffe000061000000', 'hex'),
    Buffer.from('0000feff00000061', 'hex')
  ])
    t.throws(() => decodeRequirements(data, 'F'), { code: 'ERR_MILLRACE_REQUIREMENT', where: 'F' })
})
