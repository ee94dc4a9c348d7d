/**
 * How fast do files come into the store, checked and forced to the disk?
 *
 * Isolates: `Downloader` and `DirectoryStore`, from a list of files to files under their digests, for many small and few
 * large ones. The index makes their bytes up on the fly, for all cases alike.
 * Floor: the bare loop, undici straight into a file; once as it is, once with the digest, fsync and rename without
 * which a file may be wrong, or half there after a loss of power.
 *
 *     npm run bench -- files
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Agent } from 'undici'
import type { Downloaded } from '../lib/http/body.js'
import { DirectoryStore } from '../lib/store/directory-store.js'
import { Downloader } from '../streams/index.js'
import type { Bench, Benchmark } from './harness/bench.js'
import { cpu, median, walls } from './harness/bench.js'
import { madeUpName } from './index-server/made-up.js'
import { spawnIndexServer } from './index-server/spawn.js'

const MIB = 1024 * 1024
const CONCURRENCY = 16
const LIMIT = 0.85

interface Wanted {
  readonly url: string
  readonly size: number
  readonly digests: { readonly sha256: string }
}

export const files: Benchmark = {
  name: 'files',
  question: 'How fast do files come into the store?',
  isolates:
    '`Downloader` (16 in flight) and `DirectoryStore`: from a list of files to files under their digests, each checked and forced to the disk.',
  floor:
    'undici straight into a file, 16 in flight; `bare-sync` also computes the digest, forces the file to the disk and renames it, as the store does.',
  minutes: 5,
  async run(bench) {
    await compare(bench, 'small-16KiB', bench.size(2000, 20), 16 * 1024)
    await compare(bench, 'large-64MiB', bench.size(16, 2), bench.size(64 * MIB, 2 * MIB))
  }
}

async function compare(bench: Bench, kind: string, count: number, bytes: number): Promise<void> {
  const index = await spawnIndexServer({ projects: Math.ceil(count / 10), files: 10, 'file-bytes': bytes })
  const folder = await bench.folder()
  try {
    const wanted = await list(index.indexUrl, count)
    const fresh = async (work: (path: string) => Promise<unknown>) => {
      const path = join(folder, 'files')
      await rm(path, { recursive: true, force: true })
      await mkdir(path, { recursive: true })
      await work(path)
    }
    // What was removed and is still being written is not part of the next case.
    const found = await bench.sample({
      bare: () => fresh(path => bareFiles(wanted, path, false)),
      'bare-sync': () => fresh(path => bareFiles(wanted, path, true)),
      ours: () =>
        fresh(async path => {
          const store = new DirectoryStore(path)
          await into(store, wanted)
          let [stored, total] = [0, 0]
          for await (const { size } of store.list()) {
            stored++
            total += size
          }
          bench.check(`files in the store and their bytes, ${kind}`, [stored, total], [count, count * bytes])
        })
    })
    const rate = (ms: number) => (count * bytes) / 1e6 / (ms / 1000)
    const bare = median(walls(found.bare))
    const durable = median(walls(found['bare-sync']))
    for (const name of ['bare', 'bare-sync', 'ours'] as const) {
      const times = walls(found[name])
      bench.row(`${name}-${kind}`, 'MB/s', times.map(rate), {
        'files/s': (count * 1000) / median(times),
        'µs CPU a file': (cpu(found[name]) * 1000) / count,
        'times bare': bare / median(times),
        'times bare-sync': durable / median(times)
      })
    }
    const ours = median(walls(found.ours))
    bench.atLeast(`${kind}: MB/s, times the bare loop that is as safe`, durable / ours, LIMIT)
    bench.atLeast(`${kind}: MB/s, times the bare loop`, bare / ours, LIMIT)
  } finally {
    await index.stop()
  }
}

/** The files of the index, with their digests. */
async function list(indexUrl: string, count: number): Promise<Wanted[]> {
  const wanted: Wanted[] = []
  for (let at = 0; wanted.length < count; at++) {
    const response = await fetch(`${indexUrl}${madeUpName(at)}/`, {
      headers: { accept: 'application/vnd.pypi.simple.v1+json' }
    })
    const { files } = (await response.json()) as {
      files: { url: string; size: number; hashes: { sha256: string } }[]
    }
    for (const { url, size, hashes } of files) wanted.push({ url, size, digests: hashes })
  }
  return wanted.slice(0, count)
}

async function into(store: DirectoryStore, wanted: readonly Wanted[]): Promise<void> {
  await pipeline(
    Readable.from(wanted),
    new Downloader<Wanted>({
      concurrency: CONCURRENCY,
      digest: 'sha256',
      directory: store.temporaryDirectory
    }),
    // As the saver does: so many at once.
    async (source: AsyncIterable<Downloaded<Wanted>>) => {
      const active = new Set<Promise<unknown>>()
      for await (const { body, item } of source) {
        const put: Promise<unknown> = store
          .put(body, { sha256: item.digests.sha256 })
          .then(() => active.delete(put))
        active.add(put)
        if (active.size >= store.concurrency) await Promise.race(active)
      }
      await Promise.all(active)
    }
  )
}

async function bareFiles(wanted: readonly Wanted[], path: string, safe: boolean): Promise<void> {
  const agent = new Agent()
  let next = 0
  const work = async () => {
    while (next < wanted.length) {
      const number = next++
      const { url, digests } = wanted[number] as Wanted
      const { body } = await agent.request({
        origin: new URL(url).origin,
        path: new URL(url).pathname,
        method: 'GET'
      })
      const name = join(path, String(number))
      if (!safe) {
        await pipeline(body, createWriteStream(name))
        continue
      }
      const hash = createHash('sha256')
      await pipeline(
        body,
        async function* (source: AsyncIterable<Buffer>) {
          for await (const chunk of source) {
            hash.update(chunk)
            yield chunk
          }
        },
        createWriteStream(`${name}.tmp`, { flush: true })
      )
      if (hash.digest('hex') !== digests.sha256) throw new Error(`${url} is another file`)
      await rename(`${name}.tmp`, name)
      const folder = await open(path)
      await folder.sync()
      await folder.close()
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  await agent.destroy()
}
