import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { documentLimits } from '../../../../lib/pypi/documents/limits.js'
import { readLong, readWhole } from '../../../../lib/pypi/documents/read.js'
import { isValidName } from '../../../../lib/pypi/name.js'
import type { Package } from '../../../../lib/pypi/package.js'
import {
  chunks,
  input,
  long,
  type Outcome,
  readEither,
  simpleDocument,
  whole
} from '../../../helpers/documents.js'
import { sharedData } from '../../../helpers/shared-data.js'

const seed = 20_240_717
const sizes = [1, 7, 65_536]

t.test('what is refused, and how', async t => {
  for (const [content, why] of [
    ['', /it is empty/],
    [' \n', /neither JSON nor HTML/],
    ['Not found', /neither JSON nor HTML/],
    ['[]', /JSON, but no object/],
    ['{}', /lists no files/],
    ['{"projects": []}', /lists no files/],
    ['{"files": {}}', /lists no files/],
    ['{"files": [],}', /not valid JSON/],
    [`{"files": []`, /not valid JSON/],
    ['<p>hello', /web page/]
  ] as const) {
    t.match(whole(content).errors, [why], content)
    t.match((await long(content)).errors, [why], content)
  }
  const url = 'https://user:secret@index.example/simple/x/?token=secret#secret'
  for (const content of ['Not found', '{', '{"files": [7]}']) {
    const [error] = whole(content, input('x', { url })).errors
    t.match(error, /https:\/\/index\.example\/simple\/x\//)
    t.notMatch(error, /secret/)
  }
  t.throws(() => readWhole(Buffer.from('{'), input(), documentLimits()), {
    code: 'ERR_MILLRACE_DOCUMENT',
    url: input().url,
    cause: { name: 'SyntaxError' }
  })
})

t.test('a defect is not taken for a bad document', async t => {
  const broken = {
    get project(): string {
      throw Object.assign(new Error('defect'), { code: 'EDEFECT' })
    },
    ...{ url: input().url, contentType: undefined, name: 'example' }
  }
  t.throws(() => readWhole(Buffer.from('{"files": []}'), broken, documentLimits()), { message: 'defect' })
})

t.test('a piece that cannot be read is not a bad document', async t => {
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"files": [')
    throw Object.assign(new Error('gone'), { code: 'EIO' })
  }
  await t.rejects(readLong(Buffer.from('{'), failing, input(), documentLimits()), { code: 'EIO' })
})

t.test('a document that changes between the two passes is refused', async t => {
  const [page, start] = ['<title>Links for x</title><a href="x-1.zip">x</a>', '{"files": [{}]']
  for (const [first, second] of [
    [`${start}}`, start],
    [page, `${page}<!-- ${'x'.repeat(5000)}`]
  ] as const) {
    const contents = [first, second].map(text => Buffer.from(text))
    const pieces = () => chunks(contents.shift() as Buffer, 16)
    const read = await readLong(Buffer.from(first), pieces, input(), documentLimits({ maxLexeme: 1000 }))
    await t.rejects(
      async () => {
        for await (const _ of read.items);
      },
      { code: 'ERR_MILLRACE_DOCUMENT' }
    )
  }
})

t.test('what is too long, or too much, is not read at once', async t => {
  const limits = documentLimits({ wholeBytes: 1000 })
  t.equal(readWhole(Buffer.from(simpleDocument(100)), input(), limits), undefined)
  t.type(readWhole(Buffer.from(simpleDocument(1)), input(), limits), Object)
  const deep = `{"files": [], "x": ${'['.repeat(40_000)}${']'.repeat(40_000)}}`
  t.equal(readWhole(Buffer.from(deep), input(), documentLimits()), undefined)
  t.match((await long(deep)).errors, [/nested deeper than 64/])
  const page = `<title>Links for x</title>${'<a href="example-1.0.zip">x</a>'.repeat(10_000)}`
  t.equal(readWhole(Buffer.from(page), input(), documentLimits()), undefined)
  t.equal((await long(page)).packages.length, 1)
})

t.test('a file that is listed twice', async t => {
  const file = (at: number, more: object = {}) => ({
    filename: `example-${at}.zip`,
    url: `https://f.example/example-${at}.zip`,
    ...more
  })
  const document = JSON.stringify({ files: [file(1), file(1), file(2), file(1, { size: 5 }), file(2)] })
  for (const read of [whole(document), await long(document)]) {
    t.match(read.packages, [{ filename: 'example-1.zip', size: undefined }, { filename: 'example-2.zip' }])
    t.match(read.errors, [/"example-1\.zip".*listed twice, and not the same/])
  }
  const many = Array.from({ length: 10_001 }, (_, at) => file(at))
  const repeated = await long(JSON.stringify({ files: [...many, file(0), file(10_000)] }))
  t.equal(repeated.packages.length, 10_002, 'of the first 10,000 names it is noticed')
})

t.test('entries that are none', async t => {
  const document = '{"files": [null, 7, "x", [], {}, {"url": "https://f.example/example-1.0.zip"}]}'
  for (const read of [whole(document), await long(document)]) {
    t.match(read.packages, [{ filename: 'example-1.0.zip' }])
    t.match(read.errors, [/no object/, /no object/, /no object/, /no object/, /no URL/])
  }
})

t.test('of very many flaws the first are told one by one', async t => {
  const [junk, good] = ['7,'.repeat(2500), '{"url": "https://f.example/example-1.0.zip"}']
  const document = `{"files": [${junk}${good}]}`
  const page = `<title>Links for x</title>${'<a href="ftp://x/1.zip">'.repeat(1500)}<a href="example-1.0.zip">`
  for (const [content, more] of [
    [document, 1500],
    [page, 500]
  ] as const)
    for (const read of [whole(content), await long(content)]) {
      t.equal(read.errors.length, 1001)
      t.match(read.errors.at(-1), `${more} more have something wrong`)
      t.match(read.packages, [{ filename: 'example-1.0.zip' }], 'and no file is lost for it')
    }
})

t.test('invalid UTF-8 is read in both ways the same', async t => {
  const bytes = Buffer.from(
    '{"files": [{"filename": "example-1.0.zip", "url": "https://f.example/\u00e9\u20acX.zip"}]}'
  )
  for (let at = 0; at < bytes.length; at++) {
    const broken = Buffer.from(bytes)
    broken[at] = 0xe2
    t.same(await long(broken, input(), {}, 3), whole(broken))
  }
  t.same(await long(`\ufeff${bytes}`), whole(`\ufeff${bytes}`), 'a byte-order mark')
  t.equal(whole(`\ufeff${bytes}`).packages.length, 1)
})

t.test('numbers, equal keys and __proto__', async t => {
  const url = '"url": "https://f.example/example-1.0.zip"'
  for (const [document, size] of [
    [`{"files": [{${url}, "size": 9007199254740991}]}`, 2 ** 53 - 1],
    [`{"files": [{${url}, "size": 9007199254740993}]}`, undefined],
    [`{"files": [{${url}, "size": 1e400}]}`, undefined],
    [`{"files": [{${url}, "size": 12e2}]}`, 1200],
    [`{"files": [{${url}, "size": 1, "size": 2}]}`, 2],
    [`{"files": [{${url}, "__proto__": {"size": 3}}]}`, undefined],
    [`{"__proto__": {"files": []}, "files": [{${url}}]}`, undefined],
    [`{"files": [], "files": [{${url}, "size": 4}]}`, 4]
  ] as const) {
    const read = whole(document)
    t.match(read, { packages: [{ filename: 'example-1.0.zip' }], errors: { length: 0 } }, document)
    t.equal(read.packages[0]?.size, size)
    t.same(await long(document, input(), {}, 7), read)
  }
  t.equal(({} as Record<string, unknown>).size, undefined, 'no prototype was touched')
})

/** Values as an index, or somebody who means it ill, might write them. */
const oddValue = fc.oneof(
  fc.constantFrom(null, true, false, '', 0, -1, 2 ** 53, '1.0', 'ab'.repeat(32)),
  fc.string({ maxLength: 12 }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>
)
const filename = fc.oneof(
  fc.constantFrom('example-1.0.zip', 'example-1.0-py3-none-any.whl', '../up.whl', '', 'example-2.tar.gz'),
  fc.string({ unit: 'binary', maxLength: 12 })
)
const fields = [
  ...['filename', 'url', 'hashes', 'digests', 'size', 'packagetype', 'requires-python', 'requires_python'],
  ...['yanked', 'yanked_reason', 'upload-time', 'upload_time', 'core-metadata', 'provenance', '__proto__']
]
const entry = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      filename,
      url: fc.constantFrom('f/a.zip', 'https://f.example/b.zip', 'file:///x')
    })
  },
  {
    weight: 5,
    arbitrary: fc.dictionary(fc.constantFrom(...fields), fc.oneof(filename, oddValue), { maxKeys: 8 })
  },
  { weight: 1, arbitrary: oddValue }
)
/** Whole numbers as keys would be sorted by `JSON.parse`; which of two equal names is first is then another one. */
const version = fc.constantFrom('1.0', '2.0b1', 'odd', '__proto__', '')
const document = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('files'), fc.array(entry, { maxLength: 4 })),
    fc.tuple(fc.constant('urls'), fc.array(entry, { maxLength: 2 })),
    fc.tuple(
      fc.constantFrom('files', 'urls', 'releases', 'info', 'meta', 'name', 'x', '__proto__'),
      oddValue
    ),
    fc.tuple(fc.constant('info'), fc.record({ name: fc.constantFrom('example', 'other'), version })),
    fc.tuple(
      fc.constant('meta'),
      fc.record({ 'api-version': fc.constantFrom('1.0', '2.0'), '_last-serial': fc.nat() })
    )
  ),
  { maxLength: 5 }
)
const releases = fc.array(fc.tuple(version, fc.oneof(fc.array(entry, { maxLength: 2 }), oddValue)), {
  maxLength: 4
})

/** Written with equal keys, as no object could hold them. */
function written(
  members: readonly (readonly [string, unknown])[],
  groups: readonly (readonly [string, unknown])[]
) {
  const member = ([key, value]: readonly [string, unknown]) =>
    `${JSON.stringify(key)}: ${JSON.stringify(value)}`
  const all = members.map(member)
  if (groups.length > 0) all.splice(members.length >> 1, 0, `"releases": {${groups.map(member).join()}}`)
  return `{${all.join()}}`
}

/**
 * For comparing both ways. When a list is there twice, its files may be found in another order; and what breaks two
 * rules is refused for whichever was seen first.
 */
function sorted(read: Outcome): unknown {
  const text = (value: unknown) => JSON.stringify(value)
  if (read.about === undefined) return read.errors.length
  return { ...read, packages: read.packages.map(text).sort(), errors: [...read.errors].sort() }
}

t.test('both ways give the same for any document', async t => {
  let read = 0
  let packages = 0
  await fc.assert(
    fc.asyncProperty(document, releases, fc.integer({ min: 1, max: 40 }), async (members, groups, size) => {
      const text = written(members, groups)
      const atOnce = whole(text)
      read += atOnce.about === undefined ? 0 : 1
      packages += atOnce.packages.length
      const names = atOnce.packages.map(({ filename }) => filename)
      // Then only which of them is first might differ.
      fc.pre(
        !atOnce.errors.some(error => error.includes('listed twice')) && new Set(names).size === names.length
      )
      t.strictSame(sorted(await long(text, input(), {}, size)), sorted(atOnce), text)
    }),
    { seed, numRuns: 800 }
  )
  t.ok(read > 200 && packages > 150, 'not only refusals')
  t.comment(`${read} read, ${packages} packages`)
})

t.test('any text is read or refused', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom('{', '<', '[', ''),
      async (bytes, start) => {
        const content = Buffer.concat([Buffer.from(start), bytes])
        const atOnce = whole(content, input('example', { contentType: 'text/html' }))
        t.ok(atOnce.about !== undefined || atOnce.errors.length === 1)
        t.same(
          sorted(await long(content, input('example', { contentType: 'text/html' }), {}, 5)),
          sorted(atOnce)
        )
      }
    ),
    { seed, numRuns: 500 }
  )
})

const fixtures = [
  simpleDocument(3),
  JSON.stringify({
    info: { name: 'example', version: '2.0' },
    last_serial: 5,
    releases: {
      '1.0': [
        { filename: 'example-1.0.zip', url: '/example-1.0.zip', size: 5, digests: { md5: 'ab'.repeat(16) } }
      ]
    },
    urls: [{ filename: 'example-2.0.zip', url: '/example-2.0.zip', yanked: true, yanked_reason: null }]
  }),
  '<!DOCTYPE html><title>Links for example</title><base href="/f/"><a href="example-1.0.zip#md5=ab" ' +
    'data-requires-python="&gt;=3">example-1.0.zip</a><a href=\'example-2-py3-none-any.whl\' data-yanked>x</a><!--SERIAL 5-->'
]

/** Changes some bytes, doubles or removes a piece, or puts in something that means much. */
function mutate(bytes: Buffer, random: () => number): Buffer {
  const at = () => Math.floor(random() * (bytes.length + 1))
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '<',
    '>',
    '<!--',
    '&',
    '\u0000',
    '\ud800',
    '9'.repeat(30),
    '"__proto__":',
    '[['.repeat(40)
  ]
  switch (Math.floor(random() * 4)) {
    case 0: {
      const changed = Buffer.from(bytes)
      for (let count = 0; count <= random() * 4; count++) changed[at()] = random() * 256
      return changed
    }
    case 1: {
      const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number]
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
    }
    case 2: {
      const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number]
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
    }
    default: {
      const position = at()
      const token = Buffer.from(tokens[Math.floor(random() * tokens.length)] as string)
      return Buffer.concat([bytes.subarray(0, position), token, bytes.subarray(position)])
    }
  }
}

/** xorshift32 */
function randomOf(state: number): () => number {
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

interface Recorded {
  readonly path: string
  readonly bytes: Buffer
  readonly name: string
}

/** The name that the document or the file has. */
function nameOf(path: string, bytes: Buffer): string {
  try {
    const { name, info } = JSON.parse(bytes.toString())
    return name ?? info.name ?? 'example'
  } catch {
    const name = /([^/]+?)(?:[.~][^/]*)?$/.exec(path)?.[1] ?? ''
    return isValidName(name) ? name : 'example'
  }
}

function recorded(folder: string): Recorded[] {
  const root = sharedData(folder)
  if (root === undefined) return []
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => {
      const path = join(entry.parentPath, entry.name)
      const bytes = readFileSync(path)
      return { path: path.slice(root.length + 1), bytes, name: nameOf(path, bytes) }
    })
}

t.test('fuzzing', async t => {
  const random = randomOf(seed)
  const real = recorded('triples')
    .concat(recorded('simple-html'))
    .filter(({ bytes }) => bytes.length < 8000)
  const corpus = [
    ...fixtures.map(text => ({ bytes: Buffer.from(text), name: 'example' })),
    ...real.filter((_, at) => at % 5 === 0)
  ]
  const until = performance.now() + 12_000
  let tried = 0
  let refused = 0
  let slowest = 0
  for (const { bytes, name } of corpus) {
    let content = bytes
    for (let round = 0; round < 100 && performance.now() < until; round++) {
      content = round % 5 === 0 ? mutate(bytes, random) : mutate(content, random)
      const started = performance.now()
      const atOnce = whole(content, input(name))
      slowest = Math.max(slowest, performance.now() - started)
      const piecewise = await long(content, input(name), {}, 1 + Math.floor(random() * 100))
      // A mutant may list one name twice; see above.
      if (!atOnce.errors.some(error => error.includes('listed twice')))
        t.strictSame(sorted(piecewise), sorted(atOnce), content.toString('latin1'))
      for (const { filename, url } of atOnce.packages) {
        if (/[/\\\0]/.test(filename) || !/^https?:/.test(url)) t.fail(`${filename} ${url}`)
      }
      tried++
      refused += atOnce.about === undefined ? 1 : 0
    }
  }
  t.ok(tried >= 300, 'enough was tried')
  t.comment(`${tried} inputs in two ways, ${refused} refused, the slowest took ${slowest.toFixed(1)} ms`)
})

const folders = ['pypi-json', 'simple-json', 'simple-html', 'triples']
const missing = sharedData('triples') === undefined && 'no shared data'

t.test('real documents, in both ways and any chunks', { skip: missing }, async t => {
  for (const folder of folders) {
    const counts = { documents: 0, refused: 0, packages: 0, records: 0 }
    for (const { path, bytes, name } of recorded(folder)) {
      const atOnce = await readEither(bytes, input(name))
      for (const size of sizes) {
        const same = isDeepStrictEqual(await long(bytes, input(name), {}, size), atOnce)
        if (!same) t.fail(`${path}, ${size} at a time`)
      }
      counts.documents++
      counts.packages += atOnce.packages.length
      if (atOnce.about === undefined) {
        counts.refused++
        t.equal(atOnce.errors.length, 1, path)
      } else counts.records += atOnce.errors.length
    }
    t.ok(counts.documents > 0)
    t.comment(folder, JSON.stringify(counts))
  }
})

t.test('one project in three formats', { skip: missing }, async t => {
  const triples = recorded('triples')
  const formats = { legacy: 'pypi-json.json', simple: 'simple-json.json', html: 'simple-html.html' }
  const read = async (project: string, format: keyof typeof formats) => {
    const found = triples.find(({ path }) => path === `micropip/${project}.${formats[format]}`) as Recorded
    const outcome = await readEither(found.bytes, input(project))
    t.same(outcome.errors, [], `${project} in ${format}`)
    return outcome.packages
  }
  /** What all three have, ordered by name. */
  const common = (packages: readonly Package[]) =>
    packages
      .map(({ size, uploadTime, coreMetadata, digests: { sha256 }, ...rest }) => ({ ...rest, sha256 }))
      .sort((a, b) => (a.filename < b.filename ? -1 : 1))
  /** What only the two in JSON have. */
  const json = (packages: readonly Package[]) =>
    packages
      .map(({ filename, size, uploadTime }) => ({ filename, size, uploadTime }))
      .sort((a, b) => (a.filename < b.filename ? -1 : 1))
  for (const project of ['black', 'pytest', 'snowballstemmer']) {
    const legacy = await read(project, 'legacy')
    const simple = await read(project, 'simple')
    const html = await read(project, 'html')
    t.ok(simple.length > 0)
    t.ok(simple.every(({ version, size, digests }) => version && size && digests.sha256))
    t.same(common(legacy), common(simple), `${project}: legacy and PEP 691`)
    t.same(common(html), common(simple), `${project}: PEP 503 and PEP 691`)
    t.same(json(legacy), json(simple), `${project}: sizes and times`)
    t.comment(`${project}: ${simple.length} files in each format`)
  }
})
