import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { formatRequirement } from '../../../lib/pypi/requirement.js'
import { readRequirementsFile } from '../../../lib/pypi/requirements-file.js'

t.test('a file as people write them', async t => {
  const dir = t.testdir({
    'requirements.txt': `\ufeff# what we need
--index-url https://index.example/simple
-r base/common.txt   # the rest
numpy>=1.20 ; python_version >= "3.8"
numpy<1.20 ; python_version < "3.8"
Flask[async]==3.0.0 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
\${PACKAGE}~=1.0
-e git+https://example.org/x.git#egg=x
./vendored/thing
C:\\wheels\\thing.whl
thing-1.0-py3-none-any.whl
https://example.org/thing.zip ; os_name == "nt"
git+ssh://git@example.org/x.git@main
src/thing[extra]
torch @ https://example.org/torch.bin
--pre
`,
    base: {
      'common.txt': `six\n-c ../constraints.txt\n-r ${pathToFileURL(join(t.testdirName, 'last.txt'))}\n`
    },
    'constraints.txt':
      'numpy!=1.21.0\nflask<4\nunwanted==1\nsix<2; python_version < "3"\n-c more.txt\n./path',
    'more.txt': 'numpy<3',
    'last.txt': 'attrs'
  })
  const path = join(dir, 'requirements.txt')
  const { requirements, ignored, options } = await readRequirementsFile(path, { env: { PACKAGE: 'wheel' } })
  t.strictSame(requirements.map(formatRequirement), [
    'six',
    'attrs',
    'numpy!=1.21.0,<3,>=1.20; python_version >= "3.8"',
    'numpy!=1.21.0,<1.20,<3; python_version < "3.8"',
    'flask[async]<4,==3.0.0',
    'wheel~=1.0'
  ])
  t.strictSame(
    requirements.map(({ where }) => where),
    [
      `${join(dir, 'base/common.txt')}:1`,
      `${join(dir, 'last.txt')}:1`,
      ...['4', '5', '6', '9'].map(line => `${path}:${line}`)
    ]
  )
  t.strictSame(
    ignored.map(({ where }) => where.slice(dir.length + 1)),
    ['constraints.txt:6', ...[10, 11, 12, 13, 14, 15, 16, 17].map(line => `requirements.txt:${line}`)]
  )
  t.strictSame(options, [
    { name: '--index-url', value: 'https://index.example/simple', where: `${path}:2` },
    { name: '--pre', value: undefined, where: `${path}:18` }
  ])
})

t.test('what it cannot take is said with file and line', async t => {
  const dir = t.testdir({
    'name.txt': 'a\n\nb c\n',
    'option.txt': 'a\n--frobnicate',
    'missing.txt': 'a\n-r nowhere.txt',
    'web.txt': '-r https://example.org/requirements.txt',
    'self.txt': '-r other.txt',
    'other.txt': '\n-c self.txt',
    'bytes.txt': Buffer.from('a é', 'latin1'),
    'absolute.txt': `-r ${join(t.testdirName, 'name.txt')}`
  })
  for (const [file, where] of [
    ['name.txt', 'name.txt:3'],
    ['option.txt', 'option.txt:2'],
    ['missing.txt', 'missing.txt:2'],
    ['web.txt', 'web.txt:1'],
    ['self.txt', 'other.txt:2'],
    ['bytes.txt', 'bytes.txt'],
    ['absolute.txt', 'name.txt:3']
  ] as const)
    await t.rejects(
      readRequirementsFile(join(dir, file)),
      { code: 'ERR_MILLRACE_REQUIREMENT', where: join(dir, where) },
      file
    )
  await t.rejects(readRequirementsFile(join(dir, 'none.txt')), { code: 'ERR_MILLRACE_REQUIREMENT' })
})
