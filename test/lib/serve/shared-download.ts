import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { SharedDownload, type SharedDownloadOptions } from '../../../lib/serve/shared-download.js'
import { downloadSettings, filesIn, plainServer, until } from '../../helpers/http.js'

const KIB = 1024
const content = Buffer.from(Array.from({ length: 300 * KIB }, (_, at) => (at * 7919) % 251))
const sha256 = createHash('sha256').update(content).digest('hex')

interface Started {
  readonly download: SharedDownload
  /** The answers of the server, which are to be written. */
  readonly answers: ServerResponse[]
  readonly ended: () => number
}

async function start(
  t: Test,
  item: { size?: number; digests?: Record<string, string> } = { size: content.length, digests: { sha256 } },
  options: Partial<SharedDownloadOptions> = {}
): Promise<Started> {
  const answers: ServerResponse[] = []
  const { origin } = await plainServer(t, (_request, response) => answers.push(response))
  let ended = 0
  const download = new SharedDownload(
    { url: `${origin}/x`, ...item },
    {
      settings: downloadSettings(t, { maxMemoryBytes: 0, digest: 'sha256', directory: t.testdir() }),
      ...{ keep: true, onBody: async () => {}, onBytes: () => {} },
      onEnd: () => ended++,
      ...options
    }
  )
  download.join()
  t.teardown(() => download.abort())
  await until(() => answers.length === 1)
  return { download, answers, ended: () => ended }
}

t.test('readers follow at their own pace; the last 64 KiB wait until all is checked', async t => {
  const { download, answers, ended } = await start(t)
  const [answer] = answers as [ServerResponse]
  answer.writeHead(200, { 'content-length': content.length })
  answer.write(content.subarray(0, 200 * KIB))
  await download.ready
  const stream = download.createReadStream()
  let got = 0
  stream.on('data', chunk => {
    got += chunk.length
  })
  await until(() => got === 136 * KIB)
  t.equal(download.size, content.length)
  answer.write(content.subarray(200 * KIB, -1))
  await until(() => got > 232 * KIB && got >= content.length - 64 * KIB - 1)
  t.ok(got <= content.length - 64 * KIB, 'held back')
  t.equal(ended(), 0)
  const late = buffer(download.createReadStream())
  const part = buffer(download.createReadStream({ start: 100, end: 250 * KIB }))
  answer.end(content.subarray(-1))
  await once(stream, 'end')
  t.equal(got, content.length)
  t.ok((await late).equals(content))
  t.ok((await part).equals(content.subarray(100, 250 * KIB + 1)))
  t.equal(ended(), 1)
  t.ok((await buffer(download.createReadStream())).equals(content), 'also for one who comes later')
  t.strictSame(filesIn(t.testdirName), [], 'the file is gone, and can be read all the same')
  download.leave()
})

t.test('taken up where it was cut off', async t => {
  const { download, answers } = await start(t)
  const etag = '"1"'
  answers[0]?.writeHead(200, { 'content-length': content.length, etag }).write(content.subarray(0, 200 * KIB))
  await download.ready
  const all = buffer(download.createReadStream())
  answers[0]?.destroy()
  await until(() => answers.length === 2)
  const from = Number(/bytes=(\d+)-/.exec(String(answers[1]?.req.headers.range))?.[1])
  answers[1]
    ?.writeHead(206, { etag, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` })
    .end(content.subarray(from))
  t.ok((await all).equals(content))
  download.leave()
})

t.test('begun again from the start', async t => {
  for (const same of [true, false]) {
    const { download, answers } = await start(t)
    const first = Buffer.from(content)
    if (!same) first[5] = 0
    answers[0]?.writeHead(200, { 'content-length': content.length }).write(first.subarray(0, 200 * KIB))
    await download.ready
    const all = buffer(download.createReadStream())
    const slow = download.createReadStream()
    const [head] = await once(slow, 'data')
    slow.pause()
    answers[0]?.destroy()
    await until(() => answers.length === 2)
    answers[1]?.writeHead(200, { 'content-length': content.length }).end(content)
    if (same) {
      t.ok((await all).equals(content))
      t.ok(
        Buffer.concat([head, await buffer(slow)]).equals(content),
        'who is behind reads on in the first file'
      )
      await download.whole
    } else {
      await t.rejects(all, { code: 'ERR_MILLRACE_DIGEST', expected: sha256 })
      await t.rejects(
        download.whole,
        { code: 'ERR_MILLRACE_DIGEST' },
        'what was read is not what came in the end'
      )
    }
    slow.destroy()
    download.leave()
  }
})

t.test('begun again before anybody had a byte', async t => {
  const { download, answers } = await start(t, {})
  answers[0]?.writeHead(200, { 'content-length': 999 }).write('some')
  await until(() => download.size === 999)
  answers[0]?.destroy()
  await until(() => answers.length === 2)
  answers[1]?.writeHead(200, { 'content-length': content.length }).end(content)
  await download.whole
  t.equal(download.size, content.length)
  t.ok((await buffer(download.createReadStream())).equals(content))
  download.leave()
})

t.test('another size than was told to those who read', async t => {
  const { download, answers } = await start(t, {})
  answers[0]?.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 200 * KIB))
  await download.ready
  const all = buffer(download.createReadStream())
  answers[0]?.destroy()
  await until(() => answers.length === 2)
  answers[1]?.writeHead(200, {}).end(content.subarray(0, 250 * KIB))
  await t.rejects(all, { code: 'ERR_MILLRACE_SIZE', expected: content.length, found: 250 * KIB })
  download.leave()
})

t.test('what cannot be had fails for all who wait', async t => {
  const { download, answers, ended } = await start(t)
  answers[0]?.writeHead(404).end()
  await t.rejects(download.ready, { code: 'ERR_MILLRACE_STATUS' })
  await t.rejects(download.whole, { code: 'ERR_MILLRACE_STATUS' })
  await t.rejects(buffer(download.createReadStream()), { code: 'ERR_MILLRACE_STATUS' })
  t.equal(ended(), 1)
  download.leave()
})

t.test('whoever leaves last ends what is not kept', async t => {
  for (const keep of [true, false]) {
    const { download, answers } = await start(t, undefined, { keep })
    download.join()
    download.leave()
    answers[0]?.writeHead(200, {}).write('x')
    download.leave()
    if (keep) {
      answers[0]?.end(content.subarray(1))
      await download.whole.catch(() => {})
      t.pass('went on to its end')
    } else {
      await t.rejects(download.ready, { name: 'AbortError' })
    }
  }
})

t.test('a temporary file that somebody has cut short ends the reading', async t => {
  const { download, answers } = await start(t)
  answers[0]?.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 200 * KIB))
  await download.ready
  const [name] = filesIn(t.testdirName)
  const handle: FileHandle = await open(join(t.testdirName, name as string), 'r+')
  await handle.truncate(10)
  await handle.close()
  await t.rejects(buffer(download.createReadStream({ start: 100 })), { code: 'ERR_MILLRACE_SIZE' })
  download.leave()
})

t.test('what takes the body may fail', async t => {
  const { download, answers } = await start(t, undefined, {
    onBody: async () => {
      throw new Error('no')
    }
  })
  answers[0]?.writeHead(200, {}).end(content)
  await t.rejects(download.whole, { message: 'no' })
  t.strictSame(filesIn(t.testdirName), [])
  download.leave()
})
