import { readFileSync } from 'node:fs'
import t from 'tap'
import { filenameOfUrl, unsafeFilename } from '../../../lib/pypi/safe-filename.js'
import { sharedData } from '../../helpers/shared-data.js'

for (const name of [
  'a',
  'example-1.0.tar.gz',
  'myproject-1.0+foobar.0-py2.py3-none-any.whl',
  'a%2Fb.whl',
  '-leadingdash-1.0.tar.gz',
  'con-1.0.tar.gz',
  'console.whl',
  'with blank-1.0.zip',
  'ünï-1.0.zip',
  `${'x'.repeat(251)}.whl`,
  '__proto__',
  'constructor'
])
  t.equal(unsafeFilename(name), undefined, name)

for (const [name, why] of [
  ['', /empty/],
  ['.', /dot/],
  ['..', /dot/],
  ['.htaccess', /begins with a dot/],
  ['../evil.whl', /separator/],
  ['..\\evil.whl', /separator/],
  ['/etc/passwd', /separator/],
  ['nested/x.whl', /separator/],
  ['C:evil.whl', /character/],
  ['x.whl:stream', /character/],
  ['nul\u0000.whl', /character/],
  ['line\nbreak.whl', /character/],
  ['del\u007f.whl', /character/],
  ['right\u202etoleft.whl', /character/],
  ['star*.whl', /character/],
  ['what?.whl', /character/],
  ['trailing.', /blank or a dot/],
  ['trailing ', /blank or a dot/],
  [' leading', /blank or a dot/],
  ['no\u00a0break', /blank or a dot/],
  ['half\ud800', /Unicode/],
  ['NUL', /reserved/],
  ['aux.tar.gz', /reserved/],
  ['COM1.zip', /reserved/],
  ['lpt³.x', /reserved/],
  [`${'x'.repeat(252)}.whl`, /255 bytes/],
  [`${'ü'.repeat(126)}.whl`, /255 bytes/]
] as const)
  t.match(unsafeFilename(name), why, JSON.stringify(name.slice(0, 40)))

const nameOf = (url: string) => filenameOfUrl(new URL(url))
t.equal(nameOf('https://h.example/a/x-1.0.whl'), 'x-1.0.whl')
t.equal(nameOf('https://h.example/a/x-1.0%2Blocal.whl?token=1#sha256=ff'), 'x-1.0+local.whl')
t.equal(nameOf('https://h.example/o/folder%2Fx-1.0.whl?alt=media'), 'x-1.0.whl', 'a separator in disguise')
t.equal(nameOf('https://h.example/a%252Fb.whl'), 'a%2Fb.whl', 'decoded once')
t.equal(nameOf('https://h.example/x-%ff.whl'), 'x-%ff.whl', 'not UTF-8')
t.equal(nameOf('https://h.example/'), undefined)
t.equal(nameOf(`https://h.example/${'/'.repeat(100_000)}x.zip`), 'x.zip', 'and not in quadratic time')
t.equal(nameOf(`https://h.example/x.zip${'/'.repeat(100_000)}`), 'x.zip')
t.equal(nameOf('https://h.example/a/%2F%2F'), undefined)
t.equal(nameOf('https://h.example/a/..%2F..'), undefined)

const cases = sharedData('conformance', 'links-pip.json')
t.test(
  'the file names of the link suite of pip',
  { skip: cases === undefined && 'no shared data' },
  async t => {
    const suite = JSON.parse(readFileSync(cases as string, 'utf8'))
    /** Answered in another way, for a reason given in docs/conformance.md. */
    const ours = new Set(['https://example.com/', 'https://user:password@example.com/'])
    let passed = 0
    for (const { url, expected } of suite.link_filename) {
      t.equal(nameOf(url), ours.has(url) ? undefined : expected, url)
      passed += ours.has(url) ? 0 : 1
    }
    const asComponent = (name: string) => nameOf(`https://example.com/${encodeURIComponent(name)}`)
    for (const { name } of suite.as_path_component_keep) {
      t.equal(asComponent(name), name)
      t.equal(unsafeFilename(name), undefined, name)
    }
    for (const { name } of suite.as_path_component_reduce) {
      t.equal(asComponent(name), 'pkg.whl', name)
      t.match(unsafeFilename(name), /separator/, 'and as a name of its own it is refused')
    }
    for (const { name } of suite.as_path_component_reject) {
      t.equal(asComponent(name), undefined, JSON.stringify(name))
      t.type(unsafeFilename(name), 'string')
    }
    for (const { url } of suite.filename_unsafe) {
      // Two are no URLs at all for the URL parser.
      const found = URL.canParse(url) ? nameOf(url) : undefined
      t.ok(found === undefined || unsafeFilename(found) === undefined, url)
      t.notMatch(String(found), /\.\.|[\\/]/)
    }
    const counted = [
      'as_path_component_keep',
      'as_path_component_reduce',
      'as_path_component_reject',
      'filename_unsafe'
    ]
    for (const group of counted) passed += suite[group].length
    t.comment(`${passed} of ${passed + ours.size} cases as pip answers them`)
  }
)
