/**
 * One case of `parse`, for a process of its own.
 */
import { link, readFile, stat } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { keepHeapSmall } from '../bin/heap.js'
import { Body } from '../lib/http/body.js'
import { MetadataParser } from '../streams/index.js'

export type Way = 'JSON.parse' | 'whole' | 'stream'

export interface ParseResult {
  readonly packages: number
  readonly ms: number
  readonly heldMs: number
}

/** Reads the document at `path` so many times. */
export async function parseDocument(path: string, way: Way, count: number): Promise<ParseResult> {
  const { size } = await stat(path)
  const data = way === 'stream' && size > 1024 * 1024 ? undefined : await readFile(path)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  await new Promise(setImmediate)
  const start = performance.now()
  delay.enable()
  const packages =
    way === 'JSON.parse' ? bare(data as Buffer, count) : await ours(path, size, data, way, count)
  const ms = performance.now() - start
  await new Promise(setImmediate)
  delay.disable()
  return { packages: packages / count, ms, heldMs: way === 'JSON.parse' ? ms / count : delay.max / 1e6 }
}

function bare(data: Buffer, count: number): number {
  let files = 0
  for (let time = 0; time < count; time++)
    files += (JSON.parse(data.toString()) as { files: unknown[] }).files.length
  return files
}

async function ours(
  path: string,
  size: number,
  data: Buffer | undefined,
  way: Way,
  count: number
): Promise<number> {
  // As the command line does.
  keepHeapSmall()
  let packages = 0
  const documents = async function* () {
    const url = 'https://index.example/simple/huge/'
    const item = { project: 'huge', name: 'huge', url }
    const headers = { 'content-type': 'application/vnd.pypi.simple.v1+json' }
    for (let time = 0; time < count; time++) {
      // The parser removes the file of a body when it has read it.
      if (data === undefined) await link(path, `${path}.${process.pid}.${time}`)
      const body = new Body(data ?? { path: `${path}.${process.pid}.${time}`, size })
      yield { item, url, status: 200, headers, body, attempts: 1 }
    }
  }
  await pipeline(
    Readable.from(documents()),
    new MetadataParser({
      highWaterMark: 256,
      limits: { wholeBytes: way === 'stream' ? 0 : 16 * 1024 * 1024, maxEntries: 10_000_000 }
    }),
    new Writable({
      objectMode: true,
      highWaterMark: 256,
      write(_pkg, _encoding, done) {
        packages++
        done()
      }
    })
  )
  return packages
}
