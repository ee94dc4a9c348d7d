import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { pyodideWheels, wheelSource } from '../../../../benchmarks/index-server/recorded.js'
import type { IndexServer } from '../../../../benchmarks/index-server/server.js'
import { filesIn, until } from '../../../helpers/http.js'
import { ask, type HttpAnswer, type Page, pathOf, type Served, serveSetup } from '../../../helpers/serve.js'
import { addProject, type SyncSetup, syncSetup } from '../../../helpers/sync.js'

type Policy = 'on-demand' | 'immediate' | 'streamed'
const POLICIES: readonly Policy[] = ['on-demand', 'immediate', 'streamed']

interface OneFile {
  readonly setup: SyncSetup
  readonly served: Served
  /** Where it is served, and where it comes from. */
  readonly path: string
  readonly upstream: string
  readonly content: Buffer
  readonly sha256: string
}

/** A repository with one file of so many bytes, of which `listener` may say how it comes. */
async function oneFile(
  t: Test,
  bytes: number,
  policy: Policy = 'on-demand',
  listener?: RequestListener,
  stated: { size?: boolean; digest?: boolean } = {}
): Promise<OneFile> {
  const { size = true, digest = true } = stated
  const setup = await syncSetup(t)
  const content = Buffer.alloc(bytes, 'Wheels of any size. ')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const filename = 'demo-1.0.tar.gz'
  const upstream = `/files/packages/${filename}`
  setup.index.index.add({
    name: 'demo',
    files: [{ filename, path: upstream, size: size ? bytes : undefined, hashes: digest ? { sha256 } : {} }]
  })
  setup.index.route(upstream, listener ?? { body: content })
  await setup.run({ policy: policy === 'immediate' && listener !== undefined ? 'on-demand' : policy })
  const served = await serveSetup(t, setup, { maxRetries: 0, policy })
  const [file] = (await served.page('demo')).files
  return { setup, served, path: pathOf(file?.url as string, 'demo'), upstream, content, sha256 }
}

function hits(index: IndexServer, path: string): number {
  return index.requests().filter(({ url }) => url === path).length
}

t.test('every policy: the bytes, and what is kept of them', async t => {
  for (const policy of POLICIES) {
    t.test(policy, async t => {
      const { setup, served, path, upstream, content, sha256 } = await oneFile(t, 300_000, policy)
      const before = hits(setup.index, upstream)
      for (let time = 0; time < 2; time++) {
        const { status, headers, body, complete } = await served.get(path)
        t.equal(status, 200)
        t.strictSame(body, content)
        t.ok(complete)
        t.match(headers, {
          'content-length': '300000',
          'content-type': 'application/octet-stream',
          'cache-control': 'public, max-age=31536000, immutable',
          'accept-ranges': 'bytes',
          etag: `"${sha256}"`
        })
      }
      t.equal(hits(setup.index, upstream) - before, { 'on-demand': 1, immediate: 0, streamed: 2 }[policy])
      await served.server.close()
      const kept = policy === 'streamed' ? [] : [[sha256, 300_000]]
      t.strictSame([...(await setup.stored())], kept)
      t.equal((await setup.packages())[0]?.file, kept.length === 0 ? undefined : sha256)
      t.strictSame(filesIn(join(setup.store, 'tmp')), [], 'nothing half-written')
    })
  }
})

t.test('parts, conditions and HEAD, before it is there and after', async t => {
  for (const policy of POLICIES) {
    t.test(policy, async t => {
      const { setup, served, path, upstream, content, sha256 } = await oneFile(t, 200_000, policy)
      const { get, head } = served
      const before = hits(setup.index, upstream)
      const only = await head(path)
      t.match(only, { status: 200, text: '', headers: { 'content-length': '200000', etag: `"${sha256}"` } })
      t.equal((await get(path, { 'if-none-match': `"${sha256}"` })).status, 304)
      t.equal(hits(setup.index, upstream), before, 'nobody asked for the bytes yet')

      for (let time = 0; time < 2; time++) {
        const cases: readonly (readonly [headers: Record<string, string>, start: number, end: number])[] = [
          [{ range: 'bytes=0-9' }, 0, 9],
          [{ range: 'bytes=199990-' }, 199_990, 199_999],
          [{ range: 'bytes=-5' }, 199_995, 199_999],
          [{ range: 'bytes=0-999999' }, 0, 199_999],
          [{ range: 'bytes=7-7', 'if-range': `"${sha256}"` }, 7, 7]
        ]
        for (const [headers, start, end] of cases) {
          const part = await get(path, headers)
          t.equal(part.status, 206)
          t.equal(part.headers['content-range'], `bytes ${start}-${end}/200000`)
          t.equal(part.headers['content-length'], String(end - start + 1))
          t.ok(part.body.equals(content.subarray(start, end + 1)))
        }
        const none = await get(path, { range: 'bytes=200000-' })
        t.match(none, { status: 416, headers: { 'content-range': 'bytes */200000' } })
        t.equal(none.headers['cache-control'], undefined)
        for (const headers of [
          { range: 'bytes=0-9', 'if-range': '"other"' },
          { range: 'bytes=0-1,4-5' },
          { range: 'nonsense' }
        ] as Record<string, string>[]) {
          const { status, body } = await get(path, headers)
          t.equal(status, 200)
          t.ok(body.equals(content))
        }
        t.equal((await ask(served.origin, path, { range: 'bytes=0-9' }, 'HEAD')).status, 200)
      }
    })
  }
})

t.test('fifty clients at once: one request upstream, fifty right copies', async t => {
  for (const policy of ['on-demand', 'streamed'] as const) {
    const sent: ServerResponse[] = []
    const { setup, served, path, upstream, content } = await oneFile(
      t,
      3_000_000,
      policy,
      (_request, response) => {
        sent.push(response)
        response.writeHead(200, { 'content-length': 3_000_000 })
        response.write(content.subarray(0, 1_000_000))
      }
    )
    const answers = Array.from({ length: 50 }, () => served.get(path))
    await until(() => sent.length > 0)
    await joins(served, 50)
    sent[0]?.end(content.subarray(1_000_000))
    for (const { status, body, complete } of await Promise.all(answers)) {
      t.equal(status, 200)
      t.ok(complete)
      if (!body.equals(content)) t.fail('another copy')
    }
    t.equal(hits(setup.index, upstream), 1, policy)
  }
})

/** Clients whose request for a file has joined a download, since the server began. */
async function joined({ server }: Served): Promise<number> {
  const { body } = await server.inject('/-/metrics')
  const counts = [...body.matchAll(/^millrace_files_total\{origin="(?:upstream|shared)"\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Waits until so many have. */
async function joins(served: Served, count: number): Promise<void> {
  while ((await joined(served)) < count) await immediate()
}

/** Waits until so many connections are open. */
async function connections({ server }: Served, count: number): Promise<void> {
  const open = () =>
    new Promise<number>(resolve => server.server.getConnections((_error, found) => resolve(found)))
  while ((await open()) !== count) await immediate()
}

t.test('a client that goes away does not stop the others', async t => {
  for (const policy of ['on-demand', 'streamed'] as const) {
    const sent: ServerResponse[] = []
    const { setup, served, path, upstream, content } = await oneFile(
      t,
      2_000_000,
      policy,
      (_request, response) => {
        sent.push(response)
        response.writeHead(200, { 'content-length': 2_000_000 })
        response.write(content.subarray(0, 1_000_000))
      }
    )
    const [first] = await beginning(`${served.origin}${path}`)
    const second = served.get(path)
    await joins(served, 2)
    first.destroy()
    await connections(served, 1)
    sent[0]?.end(content.subarray(1_000_000))
    t.ok((await second).body.equals(content))
    t.equal(hits(setup.index, upstream), 1)
  }
})

/** An answer whose first bytes have come. */
async function beginning(url: string): Promise<[IncomingMessage, Buffer]> {
  const sent = request(url, { agent: false }).end()
  sent.on('error', () => {})
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  const [chunk] = (await once(response, 'data')) as [Buffer]
  return [response, chunk]
}

t.test('when nobody reads any more', async t => {
  t.test('a file that is kept comes in all the same', async t => {
    const sent: ServerResponse[] = []
    const { setup, served, path, content, sha256 } = await oneFile(
      t,
      2_000_000,
      'on-demand',
      (_request, response) => {
        sent.push(response)
        response.writeHead(200, { 'content-length': 2_000_000 })
        response.write(content.subarray(0, 1_000_000))
      }
    )
    const [first] = await beginning(`${served.origin}${path}`)
    first.destroy()
    await connections(served, 0)
    sent[0]?.end(content.subarray(1_000_000))
    t.ok((await served.get(path)).body.equals(content))
    await served.server.close()
    t.ok((await setup.stored()).has(sha256))
  })

  t.test('one that is not is given up, and begun anew for the next', async t => {
    const sent: ServerResponse[] = []
    const { served, path, content } = await oneFile(t, 2_000_000, 'streamed', (_request, response) => {
      sent.push(response)
      response.writeHead(200, { 'content-length': 2_000_000 })
      response.write(content.subarray(0, 1_000_000))
    })
    const [first] = await beginning(`${served.origin}${path}`)
    first.destroy()
    await once(sent[0] as ServerResponse, 'close')
    const next = served.get(path)
    await until(() => sent.length === 2)
    sent[1]?.end(content.subarray(1_000_000))
    t.ok((await next).body.equals(content))
  })

  t.test('one that waits for its first byte goes, too', async t => {
    const sent: ServerResponse[] = []
    const { served, path } = await oneFile(t, 2_000_000, 'streamed', (_request, response) => {
      sent.push(response)
    })
    const waiting = request(`${served.origin}${path}`, { agent: false }).end()
    waiting.on('error', () => {})
    await until(() => sent.length === 1)
    waiting.destroy()
    await once(sent[0] as ServerResponse, 'close')
    t.pass('nothing is asked of upstream any more')
  })
})

t.test('a file that is wrong upstream never comes whole', async t => {
  for (const policy of ['on-demand', 'streamed'] as const) {
    for (const bytes of [1000, 500_000]) {
      t.test(`${bytes} bytes, ${policy}`, async t => {
        let wrong = true
        const { setup, served, path, upstream, content, sha256 } = await oneFile(
          t,
          bytes,
          policy,
          (_request, response) => {
            const sent = Buffer.from(content)
            if (wrong) sent[bytes - 1] = 0
            response.writeHead(200, { 'content-length': bytes }).end(sent)
          }
        )
        const clients: Promise<HttpAnswer>[] = [
          served.get(path),
          served.get(path),
          served.get(path, { range: 'bytes=0-9' })
        ]
        for (const { status, complete, body, headers } of await Promise.all(clients)) {
          if (status === 200) {
            t.notOk(complete)
            t.ok(body.length < bytes)
          } else {
            t.equal(status, 502)
            t.match(body.toString(), 'ERR_MILLRACE_DIGEST')
            t.notOk(headers.etag)
            t.notOk(headers['cache-control'])
          }
        }
        const first = hits(setup.index, upstream)
        t.match(served.log, [/demo-1\.0\.tar\.gz.*ERR_MILLRACE_DIGEST/])
        const cooling = await served.get(path)
        t.match(cooling, { status: 502, text: /ERR_MILLRACE_DIGEST/, headers: { 'retry-after': /^\d+$/ } })
        t.equal(hits(setup.index, upstream), first, 'not asked for again at once')
        t.strictSame([...(await setup.stored())], [])
        t.strictSame(filesIn(join(setup.store, 'tmp')), [])

        wrong = false
        const again = await serveSetup(t, setup, { coolDownMs: 0, policy })
        t.ok((await again.get(path)).body.equals(content))
        await again.server.close()
        t.equal((await setup.stored()).has(sha256), policy === 'on-demand')
      })
    }
  }
})

t.test('after the cool-down it is asked for again', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const served = await serveSetup(t, setup, { coolDownMs: 1, maxRetries: 0 })
  const path = pathOf((await served.page('demo')).files[0]?.url as string, 'demo')
  const right = setup.index.fault({ match: 'demo-1.0.tar.gz', kind: 'corrupted' })
  t.equal((await served.get(path)).status, 502)
  right()
  let { status } = await served.get(path)
  while (status !== 200) ({ status } = await served.get(path))
  t.pass('once a millisecond is over')
})

t.test('what upstream says when it has no file to give', async t => {
  const cases: readonly (readonly [upstream: number | 'reset', status: number, code: string])[] = [
    [404, 404, 'ERR_MILLRACE_STATUS'],
    [410, 404, 'ERR_MILLRACE_STATUS'],
    [403, 502, 'ERR_MILLRACE_STATUS'],
    [500, 502, 'ERR_MILLRACE_STATUS'],
    ['reset', 502, 'ERR_MILLRACE_NETWORK']
  ]
  for (const [upstream, status, code] of cases) {
    const { served, path } = await oneFile(t, 1000, 'on-demand', (_request, response) => {
      if (upstream === 'reset') response.destroy()
      else response.writeHead(upstream).end()
    })
    const answer = await served.get(path)
    t.equal(answer.status, status, String(upstream))
    t.match(answer.text, code)
    t.match(answer.headers, { 'content-type': /text\/plain/ })
    t.notOk(answer.headers['cache-control'])
    t.notOk(answer.headers['retry-after'], 'it may be there the next time')
  }
})

t.test('an index on the internet leads to no address of ours', async t => {
  const { setup, path } = await oneFile(t, 1000)
  const guarded = await serveSetup(t, setup, { allowPrivate: false })
  const refused = await guarded.get(path)
  t.match(refused, { status: 502, text: /ERR_MILLRACE_URL/ })
})

t.test('a size and a digest that nobody has told', async t => {
  for (const policy of ['on-demand', 'streamed'] as const) {
    for (const length of [true, false]) {
      const { setup, served, path, content, sha256 } = await oneFile(
        t,
        300_000,
        policy,
        (_request, response) => {
          response.writeHead(200, length ? { 'content-length': 300_000 } : {})
          response.write(content.subarray(0, 200_000))
          response.end(content.subarray(200_000))
        },
        { size: false, digest: false }
      )
      t.match(path, /\/files\/demo\/id-\d+\/demo-1\.0\.tar\.gz$/)
      const first = await served.get(path)
      t.ok(first.body.equals(content))
      t.equal(first.headers['content-length'], length ? '300000' : undefined)
      t.notOk(first.headers['cache-control'], 'it may be another one the next time')
      t.equal((await served.head(path)).status, 200)
      const part = await served.get(path, { range: 'bytes=1-2' })
      t.equal(part.status, 206)
      await served.server.close()
      t.equal((await setup.packages())[0]?.file, policy === 'on-demand' ? sha256 : undefined)
      const again = await serveSetup(t, setup)
      const { headers, body } = await again.get(path)
      t.ok(body.equals(content))
      t.equal(headers.etag, policy === 'on-demand' ? `"${sha256}"` : undefined)
      await again.server.close()
    }
  }
})

t.test('an empty file', async t => {
  const { served, path } = await oneFile(t, 0)
  for (let time = 0; time < 2; time++) {
    t.match(await served.get(path), { status: 200, text: '', headers: { 'content-length': '0' } })
    t.equal((await served.get(path, { range: 'bytes=0-' })).status, 416)
  }
})

t.test('what was lost or damaged in the store is fetched anew', async t => {
  const { setup, served, path, content, sha256 } = await oneFile(t, 1000, 'immediate')
  const file = join(setup.store, 'sha256', sha256.slice(0, 2), sha256.slice(2))
  rmSync(file)
  t.ok((await served.get(path)).body.equals(content))
  await served.server.close()
  writeFileSync(file, 'short')
  const again = await serveSetup(t, setup)
  t.ok((await again.get(path)).body.equals(content))
  await again.server.close()
  t.equal((await setup.stored()).get(sha256), 1000)
})

t.test('a file that the store has already is not fetched for another repository', async t => {
  const { setup, served, path, upstream, content, sha256 } = await oneFile(t, 1000)
  await served.get(path)
  await setup.run({ repository: 'other' })
  const [other] = (await served.page('demo', '/other')).files
  t.ok((await served.get(pathOf(other?.url as string, 'demo', '/other'))).body.equals(content))
  t.equal(hits(setup.index, upstream), 1)
  await served.server.close()
  t.strictSame(await setup.rows('SELECT file FROM packages'), [{ file: sha256 }, { file: sha256 }])
})

t.test('what is there to be had, and nothing else', async t => {
  const { setup, served, path, sha256 } = await oneFile(t, 1000, 'immediate')
  const { get } = served
  t.equal((await get(`/pypi@1${path}`)).status, 200)
  const file = `${sha256.slice(0, 2)}/${sha256.slice(2)}`
  for (const wrong of [
    path.replace(sha256, sha256.replace(/./, '0')),
    path.replace('demo/', 'other/'),
    path.replace('demo-1.0', 'demo-2.0'),
    `${path}.metadata`,
    `/pypi@0${path}`,
    `/other${path}`,
    `/files/demo/${sha256}/..`,
    `/files/demo/${sha256}/%2e%2e%2f%2e%2e%2fcatalog.db`,
    '/files/../../catalog.db',
    '/files/..%2f..%2f..%2fcatalog.db/x/y',
    '/%2e%2e/catalog.db',
    '/../catalog.db',
    '/../../../../../../etc/passwd',
    '//etc/passwd',
    '/files/demo/sha256/demo-1.0.tar.gz%00',
    `/files/demo/../store/sha256/${file}`,
    `/store/sha256/${file}`,
    `/files/demo/${sha256}/${'x'.repeat(2000)}`
  ]) {
    const { status, text } = await get(wrong)
    t.ok(status === 404 || status === 414 || status === 400, `${wrong} ${status}`)
    t.notMatch(text, /Wheels|SQLite|root:/)
  }
  t.equal((await get('/files/%zz/x/y')).status, 400)
  setup.index.index.add({ name: 'demo', status: 'quarantined', files: [] })
  await setup.run()
  t.match(await get(path), { status: 404, text: /quarantine/ })
  t.match(await served.page('demo'), { 'project-status': { status: 'quarantined' }, files: { length: 0 } })
})

t.test('METADATA beside the wheel, from upstream or from the wheel', async t => {
  const setup = await syncSetup(t, { sources: [wheelSource(pyodideWheels())] })
  await setup.run()
  const served = await serveSetup(t, setup)
  const [file] = (await served.page('piplite')).files
  const path = pathOf(file?.url as string, 'piplite')
  const { sha256 } = (file as Page['files'][number])['core-metadata'] as { sha256: string }
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  const upstream = () => setup.index.requests('.metadata').length

  const only = await served.head(`${path}.metadata`)
  t.match(only, { status: 200, headers: { etag: `"${sha256}"` } })
  t.equal(upstream(), 0)
  for (let time = 0; time < 2; time++) {
    const { status, text, headers } = await served.get(`${path}.metadata`)
    t.equal(status, 200)
    t.match(text, /^Name: piplite$/m)
    t.equal(digest(text), sha256)
    t.match(headers, { etag: `"${sha256}"`, 'cache-control': /immutable/, 'content-type': /text\/plain/ })
    t.equal((await served.get(`${path}.metadata`, { 'if-none-match': `"${sha256}"` })).status, 304)
  }
  t.equal(upstream(), 1, 'kept')
  await served.server.close()

  const folder = t.testdir()
  const other = { ...setup, catalog: join(folder, 'catalog.db'), store: join(folder, 'store') }
  await setup.run({ catalog: other.catalog, store: other.store, policy: 'immediate' })
  const again = await serveSetup(t, other)
  for (const project of ['piplite', 'ipykernel', 'pyodide-kernel', 'widgetsnbextension']) {
    for (const { url, 'core-metadata': core } of (await again.page(project)).files) {
      const { text, headers } = await again.get(`${pathOf(url, project)}.metadata`)
      t.equal(digest(text), (core as { sha256: string }).sha256)
      t.equal(headers['content-length'], String(Buffer.byteLength(text)))
      const part = await again.get(`${pathOf(url, project)}.metadata`, { range: 'bytes=0-15' })
      t.strictSame([part.status, part.text], [206, text.slice(0, 16)])
    }
  }
  t.equal(upstream(), 1, 'read from the wheels')
})
