import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Spool, type SpoolOptions, temporaryName } from '../../../lib/http/spool.js'
import { directoryOf, filesIn } from '../../helpers/http.js'

const url = 'https://example.org/x'
const ALGORITHMS = new Map([
  ['sha256', 'sha256'],
  ['sha3_256', 'sha3-256']
])

function options(t: Test, changes: Partial<SpoolOptions> = {}): SpoolOptions {
  return {
    url,
    algorithms: ALGORITHMS,
    maxMemoryBytes: 1000,
    maxBodyBytes: 2 ** 33,
    directory: changes.directory ?? join(directoryOf(t), 'a', 'b'),
    ...changes
  }
}

function digests(...chunks: Buffer[]): Record<string, string> {
  const hex = (algorithm: string) => createHash(algorithm).update(Buffer.concat(chunks)).digest('hex')
  return { sha256: hex('sha256'), sha3_256: hex('sha3-256') }
}

/** The module with one call of the file system replaced. */
async function spoolWith(t: Test, replaced: object): Promise<typeof Spool> {
  const mocked = await t.mockImport<typeof import('../../../lib/http/spool.js')>(
    '../../../lib/http/spool.js',
    {
      'node:fs/promises': { ...fs, ...replaced }
    }
  )
  return mocked.Spool
}

t.test('what fits stays in memory', async t => {
  for (const sizes of [[], [1000], [999, 1], [400, 300, 300]]) {
    const spool = new Spool(options(t))
    const chunks = sizes.map((size, at) => Buffer.alloc(size, at))
    for (const chunk of chunks) spool.write(chunk)
    t.equal(spool.full, false)
    await spool.flushed()
    const body = await spool.finish()
    t.strictSame(body.data, Buffer.concat(chunks))
    t.strictSame(body.digests, digests(...chunks))
    t.strictSame(filesIn(directoryOf(t)), [])
  }
})

t.test('a larger body goes to a file, in a folder that need not be', async t => {
  for (const sizes of [[1001], [500, 501], [1000, 1], [1, 999, 3_000_000, 5]]) {
    const spool = new Spool(options(t))
    const chunks = sizes.map((size, at) => Buffer.alloc(size, at + 1))
    for (const chunk of chunks) {
      spool.write(chunk)
      if (spool.full) await spool.flushed()
    }
    const body = await spool.finish()
    t.equal(body.data, undefined)
    t.equal(
      body.size,
      sizes.reduce((sum, size) => sum + size, 0)
    )
    t.strictSame(body.digests, digests(...chunks))
    t.ok((await body.buffer()).equals(Buffer.concat(chunks)))
    await body.discard()
    t.strictSame(filesIn(join(directoryOf(t), 'a', 'b')), [])
  }
})

t.test('it tells what is in its file', async t => {
  const told: [string, number][] = []
  const spool = new Spool(options(t, { onSpooled: (path, bytes) => told.push([path, bytes]) }))
  spool.write(Buffer.alloc(600))
  await spool.flushed()
  t.strictSame(told, [], 'nothing while there is none')
  for (const bytes of [600, 300]) {
    spool.write(Buffer.alloc(bytes))
    await spool.flushed()
  }
  const body = await spool.finish()
  t.strictSame(told, [
    [body.path, 1200],
    [body.path, 1500]
  ])
  await body.discard()
})

t.test('it is full at a megabyte, and never holds more than that and a chunk', async t => {
  let written = 0
  const Slow = await spoolWith(t, {
    open: async (...args: Parameters<typeof fs.open>) => {
      const handle = await fs.open(...args)
      const writev = handle.writev.bind(handle)
      handle.writev = async (...buffers: Parameters<typeof writev>) => {
        // A disk slower than any test machine's memory, which takes a part at a time.
        await new Promise(resolve => setImmediate(resolve))
        const result = await writev([buffers[0][0] as Uint8Array])
        written += result.bytesWritten
        return result as never
      }
      return handle
    }
  })
  const spool = new Slow(options(t))
  let peak = 0
  for (let at = 0; at < 200; at++) {
    spool.write(Buffer.alloc(64 * 1024, at))
    peak = Math.max(peak, spool.received - written)
    if (spool.full) await spool.flushed()
  }
  t.ok(peak >= 1024 * 1024 && peak <= 1024 * 1024 + 64 * 1024, `${peak} bytes`)
  const body = await spool.finish()
  t.equal((await body.buffer()).length, 200 * 64 * 1024)
  await body.discard()
})

t.test('a write that takes a part only is gone on with', async t => {
  const Partial = await spoolWith(t, {
    open: async (...args: Parameters<typeof fs.open>) => {
      const handle = await fs.open(...args)
      handle.writev = (async (buffers: Buffer[]) => {
        const all = Buffer.concat(buffers)
        const part = all.subarray(0, Math.min(all.length, 700))
        await handle.write(part)
        return { bytesWritten: part.length, buffers }
      }) as never
      return handle
    }
  })
  const spool = new Partial(options(t))
  const chunks = [600, 600, 100, 1, 3000].map((size, at) => Buffer.alloc(size, at))
  for (const chunk of chunks) spool.write(chunk)
  const body = await spool.finish()
  t.ok((await body.buffer()).equals(Buffer.concat(chunks)))
})

t.test('limits', async t => {
  const tooLarge = new Spool(options(t, { maxBodyBytes: 10 }))
  tooLarge.write(Buffer.alloc(10))
  t.throws(() => tooLarge.write(Buffer.alloc(1)), { code: 'ERR_MILLRACE_BODY_TOO_LARGE', maxBytes: 10, url })
  const wrongSize = new Spool(options(t, { size: 10 }))
  t.throws(() => wrongSize.write(Buffer.alloc(12)), { code: 'ERR_MILLRACE_SIZE', expected: 10, found: 12 })
})

t.test('what is discarded leaves nothing, also while it is written', async t => {
  for (const size of [10, 5_000_000]) {
    const spool = new Spool(options(t))
    spool.write(Buffer.alloc(size))
    spool.write(Buffer.alloc(size))
    await spool.discard()
    t.strictSame(filesIn(join(directoryOf(t), 'a', 'b')), [])
  }
})

t.test('a file that cannot be made', async t => {
  const spool = new Spool(options(t, { directory: join(t.testdir({ file: '' }), 'file', 'x') }))
  spool.write(Buffer.alloc(2000))
  await t.rejects(spool.flushed(), { code: 'ERR_MILLRACE_TEMPORARY_FILE', url, cause: { code: 'ENOTDIR' } })
  t.throws(() => spool.write(Buffer.alloc(1)), { code: 'ERR_MILLRACE_TEMPORARY_FILE' })
  await t.rejects(spool.finish(), { code: 'ERR_MILLRACE_TEMPORARY_FILE' })
  await spool.discard()
})

t.test('a full disk, while it writes and when it closes', async t => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  for (const call of ['writev', 'close'] as const) {
    const Full = await spoolWith(t, {
      open: async (...args: Parameters<typeof fs.open>) => {
        const handle = await fs.open(...args)
        const close = handle.close.bind(handle)
        handle[call] = async () => {
          if (call === 'close') await close()
          throw full
        }
        return handle
      }
    })
    const spool = new Full(options(t))
    spool.write(Buffer.alloc(2000))
    await t.rejects(spool.finish(), { code: 'ERR_MILLRACE_TEMPORARY_FILE', cause: full })
    await spool.discard()
    t.strictSame(filesIn(join(directoryOf(t), 'a', 'b')), [])
    const other = new Full(options(t))
    other.write(Buffer.alloc(2000))
    await other.discard()
    t.strictSame(filesIn(join(directoryOf(t), 'a', 'b')), [])
  }
})

t.test('a file that cannot be removed is no reason to fail', async t => {
  const Stuck = await spoolWith(t, {
    rm: async () => {
      throw Object.assign(new Error('no'), { code: 'EACCES' })
    }
  })
  const spool = new Stuck(options(t))
  spool.write(Buffer.alloc(2000))
  await spool.discard()
})

t.test('a name says whose it is', async t => {
  t.ok(temporaryName().startsWith(`${hostname()}.${process.pid}.`))
  t.match(temporaryName(), /\.tmp$/)
  t.not(temporaryName(), temporaryName())
})
