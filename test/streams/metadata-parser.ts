import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import chain from 'stream-chain'
import t from 'tap'
import { Body, type Downloaded } from '../../lib/http/body.js'
import type { Package, Project } from '../../lib/pypi/package.js'
import {
  MetadataParser,
  type MetadataParserOptions,
  type ProjectDocument
} from '../../streams/metadata-parser.js'
import { downloaded, simpleDocument } from '../helpers/documents.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

interface Run {
  readonly packages: Package[]
  readonly projects: ProjectDocument[]
  readonly skips: [item: Partial<Project> & { filename?: string }, error: Error & { code?: string }][]
}

function watched(parser: MetadataParser): Run {
  const run: Run = { packages: [], projects: [], skips: [] }
  parser.on('project', document => run.projects.push(document))
  parser.on('skip', (item, error) => run.skips.push([item, error]))
  return run
}

async function parse(items: Downloaded<Project>[], options: MetadataParserOptions = {}): Promise<Run> {
  const parser = new MetadataParser(options)
  const run = watched(parser)
  const sink = new Writable({
    objectMode: true,
    write(pkg, _encoding, done) {
      run.packages.push(pkg)
      done()
    }
  })
  await pipeline(items, parser, sink)
  return run
}

/** Both ways to read a document. */
const ways = { 'at once': {}, 'piece by piece': { limits: { wholeBytes: 0 } } }

for (const [way, options] of Object.entries(ways)) {
  t.test(`documents of any length, ${way}`, async t => {
    for (const files of [0, 1, 2, 15, 16, 17, 3000]) {
      const text = simpleDocument(files)
      const { packages, projects, skips } = await parse([downloaded(text)], options)
      t.equal(packages.length, files)
      t.equal(new Set(packages.map(({ filename }) => filename)).size, files, 'each once')
      t.same(packages[files - 1]?.filename, files === 0 ? undefined : `example-1.${files - 1}.tar.gz`)
      t.same(skips, [])
      t.match(projects, [
        {
          project: 'example',
          name: 'example',
          packages: files,
          skipped: 0,
          unchanged: false,
          digest: sha256(text)
        }
      ])
    }
  })

  t.test(`many documents in their order, ${way}`, async t => {
    const items = Array.from({ length: 100 }, (_, at) =>
      downloaded(simpleDocument(3, `p${at}`), { name: `p${at}` })
    )
    const { packages, projects } = await parse(items, options)
    t.equal(packages.length, 300)
    t.same(
      projects.map(({ project }) => project),
      items.map(({ item }) => item.project)
    )
  })

  t.test(`never more than highWaterMark unread, ${way}`, async t => {
    for (const highWaterMark of [1, 2, 16]) {
      const parser = new MetadataParser({ highWaterMark, ...options })
      const run = watched(parser)
      const names = ['a', 'b', 'c', 'd']
      const source = Readable.from(names.map(name => downloaded(simpleDocument(20, name), { name })))
      source.pipe(parser)
      let seen = 0
      let peak = 0
      // Waits for each to be readable, then looks how much there is without a reader.
      while (!parser.readableEnded) {
        for (let turns = 0; turns < 20; turns++) await turn()
        peak = Math.max(peak, parser.readableLength)
        const pkg = parser.read() as Package | null
        if (pkg !== null) seen++
      }
      t.equal(seen, 80)
      t.equal(peak, highWaterMark, `reached and not passed at ${highWaterMark}`)
      t.same(
        run.projects.map(({ name }) => name),
        names
      )
    }
  })

  t.test(`with nobody to read, no second document is begun, ${way}`, async t => {
    const parser = new MetadataParser({ highWaterMark: 4, ...options })
    const run = watched(parser)
    let given = 0
    const source = Readable.from(
      (function* () {
        for (; given < 50; given++) yield downloaded(simpleDocument(4))
      })(),
      { highWaterMark: 1 }
    )
    source.pipe(parser)
    for (let turns = 0; turns < 100; turns++) await turn()
    t.equal(parser.readableLength, 4)
    t.equal(run.projects.length, 1, 'its last package was pushed')
    t.ok(given < 6, `${given} taken`)
    parser.destroy()
  })

  t.test(`bad entries and bad documents are skipped, ${way}`, async t => {
    const odd = JSON.stringify({
      files: [
        { filename: '../up.zip', url: 'https://f.example/up.zip' },
        { filename: 'example-1.0.zip', url: 'https://f.example/example-1.0.zip', hashes: { sha256: 'none' } }
      ]
    })
    const { packages, projects, skips } = await parse(
      [downloaded('<h1>Log in</h1>'), downloaded(odd), downloaded('{'), downloaded(simpleDocument(1))],
      options
    )
    t.match(packages, [{ filename: 'example-1.0.zip', digests: {} }, { filename: 'example-1.0.tar.gz' }])
    t.match(projects, [
      { packages: 1, skipped: 2 },
      { packages: 1, skipped: 0 }
    ])
    const url = 'https://index.example/simple/example/'
    t.match(skips, [
      [
        { project: 'example', url },
        { code: 'ERR_MILLRACE_DOCUMENT', url }
      ],
      [
        { project: 'example', filename: '../up.zip', url },
        { code: 'ERR_MILLRACE_RECORD', url }
      ],
      [{ project: 'example', filename: 'example-1.0.zip', url }, { code: 'ERR_MILLRACE_RECORD' }],
      [{ project: 'example', url }, { code: 'ERR_MILLRACE_DOCUMENT' }]
    ])
  })

  t.test(`where nobody listens to skips, the first one ends it, ${way}`, async t => {
    for (const [content, code] of [
      ['{', 'ERR_MILLRACE_DOCUMENT'],
      ['{"files": [7, 8]}', 'ERR_MILLRACE_RECORD']
    ] as const) {
      const parser = new MetadataParser(options)
      await t.rejects(pipeline([downloaded(content)], parser, new PassThrough({ objectMode: true })), {
        code
      })
    }
  })

  t.test(`what did not change gives no packages, ${way}`, async t => {
    const text = simpleDocument(2)
    const digest = sha256(text)
    const { packages, projects } = await parse(
      [
        downloaded('', { digest }, { status: 304, headers: { etag: '"a"' } }),
        downloaded('', {}, { status: 304 }),
        downloaded(text, { digest }),
        downloaded(text, { digest: 'another' })
      ],
      options
    )
    t.equal(packages.length, 2)
    t.match(projects, [
      { unchanged: true, packages: 0, digest, etag: '"a"' },
      { unchanged: true, packages: 0, digest: undefined },
      { unchanged: true, packages: 0, digest },
      { unchanged: false, packages: 2, digest }
    ])
  })

  t.test(`temporary files are read and removed, ${way}`, async t => {
    const folder = t.testdir()
    const file = (name: string, text: string) => {
      const path = `${folder}/${name}`
      writeFileSync(path, text)
      return { path, size: Buffer.byteLength(text) }
    }
    const text = simpleDocument(500)
    const contents = {
      good: file('good', text),
      bad: file('bad', '{'),
      known: file('known', text),
      unchanged: file('unchanged', '')
    }
    const { packages, projects, skips } = await parse(
      [
        downloaded(contents.good),
        downloaded(contents.bad),
        downloaded(contents.known, { digest: sha256(text) }),
        downloaded(contents.unchanged, {}, { status: 304 })
      ],
      options
    )
    t.equal(packages.length, 500)
    t.match(projects, [{ packages: 500, digest: sha256(text) }, { unchanged: true }, { unchanged: true }])
    t.match(skips, [[{}, { code: 'ERR_MILLRACE_DOCUMENT' }]])
    for (const { path } of Object.values(contents)) t.notOk(existsSync(path), path)
  })

  t.test(`a temporary file that is gone loses its document only, ${way}`, async t => {
    const path = `${t.testdir()}/gone`
    const { packages, skips } = await parse(
      [downloaded({ path, size: 10 }), downloaded(simpleDocument(1))],
      options
    )
    t.equal(packages.length, 1)
    t.match(skips, [
      [{ project: 'example' }, { code: 'ERR_MILLRACE_TEMPORARY_FILE', cause: { code: 'ENOENT' } }]
    ])
  })

  t.test(`destroyed in the middle of a document, ${way}`, async t => {
    const path = `${t.testdir()}/body`
    writeFileSync(path, simpleDocument(5000))
    for (const content of [{ path, size: 500_000 }, simpleDocument(5000)]) {
      const controller = new AbortController()
      const parser = new MetadataParser({ ...options, signal: controller.signal })
      const run = watched(parser)
      let read = 0
      const running = pipeline(
        [downloaded(content)],
        parser,
        new Writable({
          objectMode: true,
          write(_pkg, _encoding, done) {
            if (++read === 20) controller.abort()
            setImmediate(done)
          }
        })
      )
      await t.rejects(running, { code: 'ABORT_ERR' })
      if (!parser.closed) await new Promise(resolve => parser.once('close', resolve))
      t.ok(read < 60, `${read} read`)
      t.same(run, { packages: [], projects: [], skips: [] })
    }
    t.notOk(existsSync(path), 'the temporary file is removed')
  })
}

t.test('destroyed with a document waiting for the reader', async t => {
  for (const options of Object.values(ways)) {
    const parser = new MetadataParser({ highWaterMark: 2, ...options })
    parser.write(downloaded(simpleDocument(10)))
    for (let turns = 0; turns < 20; turns++) await turn()
    t.equal(parser.readableLength, 2)
    const closed = new Promise(resolve => parser.once('close', resolve))
    parser.destroy()
    await closed
  }
  t.pass('it closes')
})

t.test('with a signal that is aborted already', async t => {
  const parser = new MetadataParser({ signal: AbortSignal.abort() })
  await t.rejects(pipeline([downloaded(simpleDocument(1))], parser), { code: 'ABORT_ERR' })
})

t.test('destroyed by a listener', async t => {
  for (const event of ['skip', 'project']) {
    const parser = new MetadataParser()
    parser.on('skip', () => {})
    parser.on(event, () => parser.destroy())
    parser.write(downloaded('{"files": [7, 8]}'))
    await new Promise(resolve => parser.once('close', resolve))
  }
  t.pass('it closes')
})

t.test('a long page in memory', async t => {
  const links = Array.from({ length: 10_000 }, (_, at) => `<a href="example-${at}.zip">x</a>`)
  const { packages, projects } = await parse([
    downloaded(`<title>Links for example</title>${links.join('\n')}`)
  ])
  t.equal(packages.length, 10_000)
  t.match(projects, [{ packages: 10_000 }])
})

t.test('others have their turn between documents, and while one is read', async t => {
  const documents = Array.from({ length: 300 }, () => downloaded(simpleDocument(100)))
  documents.push(downloaded(simpleDocument(30_000)))
  let longest = 0
  let last = performance.now()
  const measure = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const interval = setInterval(measure, 1)
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  await parse(documents)
  clearInterval(interval)
  clearInterval(counting)
  t.ok(turns > 20, `${turns} turns`)
  t.comment(`the longest time without a turn was ${longest.toFixed(0)} ms`)
})

t.test('what it tells of a project', async t => {
  const page = JSON.stringify({
    meta: { 'api-version': '1.4', '_last-serial': 7 },
    name: 'Some.Name',
    'project-status': { status: 'archived', reason: 'done' },
    files: []
  })
  const lastModified = 'Mon, 01 Jan 2024 00:00:00 GMT'
  const headers = { etag: '"e"', 'last-modified': lastModified, 'x-pypi-last-serial': '9' }
  const url = 'https://elsewhere.example/simple/some-name/'
  const item = { name: 'some-name', serial: 6 }
  t.same((await parse([downloaded(page, item, { headers, url })])).projects, [
    {
      project: 'some-name',
      name: 'Some.Name',
      packages: 0,
      skipped: 0,
      unchanged: false,
      url,
      etag: '"e"',
      lastModified,
      serial: 7,
      listedSerial: 6,
      digest: sha256(page),
      status: 'archived',
      statusReason: 'done'
    }
  ])
  const bare = simpleDocument(0)
  t.match((await parse([downloaded(bare, {}, { headers })])).projects, [{ serial: 9, name: 'example' }])
  t.match((await parse([downloaded(bare, {}, { headers: { 'x-pypi-last-serial': 'x' } })])).projects, [
    { serial: undefined, etag: undefined, status: undefined }
  ])
  const given = new Body(Buffer.from(bare), { sha256: 'as the downloader says' })
  t.match((await parse([downloaded(bare, {}, { body: given })])).projects, [
    { digest: 'as the downloader says' }
  ])
})

t.test('URLs are resolved against where the document came from', async t => {
  const url = 'https://elsewhere.example/a/b/'
  const { packages } = await parse([downloaded('{"files": [{"url": "../example-1.0.zip"}]}', {}, { url })])
  t.match(packages, [{ url: 'https://elsewhere.example/a/example-1.0.zip' }])
})

t.test('a quarantined project gives no packages', async t => {
  const page = JSON.stringify({
    'project-status': { status: 'quarantined' },
    files: [{ url: 'https://f.example/example-1.0.zip' }]
  })
  for (const options of Object.values(ways)) {
    const { packages, projects } = await parse([downloaded(page)], options)
    t.same(packages, [])
    t.match(projects, [{ status: 'quarantined', packages: 0 }])
  }
  const html =
    '<meta name="pypi:repository-version" content="1.4"><meta name="pypi:project-status" content="quarantined">' +
    '<a href="example-1.0.zip">x</a>'
  for (const options of Object.values(ways))
    t.match(await parse([downloaded(html)], options), {
      packages: { length: 0 },
      projects: [{ status: 'quarantined' }]
    })
})

t.test('a defect ends it', async t => {
  const defect = Object.assign(new Error('defect'), { code: 'EDEFECT' })
  const item = { url: 'https://x.example/', name: 'x', project: 'x' }
  for (const options of Object.values(ways)) {
    const broken = {
      ...downloaded('{"files": []}'),
      item: Object.defineProperty({ ...item }, 'digest', {
        get() {
          throw defect
        }
      })
    }
    await t.rejects(parse([broken as Downloaded<Project>], options), { message: 'defect' })
  }
  const body = Object.assign(new Body({ path: '/nowhere', size: 1 }), {
    discard: () => Promise.reject(defect)
  })
  await t.rejects(parse([downloaded('', {}, { status: 304, body })]), { message: 'defect' })
})

t.test('with for await, and in stream-chain', async t => {
  const parser = new MetadataParser()
  parser.end(downloaded(simpleDocument(3)))
  const names: string[] = []
  for await (const { filename } of parser as AsyncIterable<Package>) names.push(filename)
  t.equal(names.length, 3)
  const chained = chain([new MetadataParser(), (pkg: Package) => pkg.size])
  chained.end(downloaded(simpleDocument(3)))
  const sizes: unknown[] = []
  for await (const size of chained) sizes.push(size)
  t.same(sizes, [1000, 1001, 1002])
})

t.test('options', async t => {
  t.throws(() => new MetadataParser({ highWaterMark: 0 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'highWaterMark'
  })
  t.throws(() => new MetadataParser({ limits: { maxDepth: 0 } }), { code: 'ERR_MILLRACE_OPTION' })
  const parser = new MetadataParser({ highWaterMark: undefined, limits: undefined, signal: undefined })
  t.equal(parser.readableHighWaterMark, 16)
  // @ts-expect-error an option that does not exist
  new MetadataParser({ concurrency: 1 }).destroy()
})
