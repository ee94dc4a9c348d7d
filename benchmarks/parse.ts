/**
 * How fast are documents read, at which memory, and where lies the switch from the short way to the streaming way?
 *
 * Isolates: `MetadataParser` alone, from bodies that are there already (small ones in memory, others in a file) to a
 * reader that counts packages. Each case in a process of its own, for its memory.
 * Floor: `JSON.parse` of the same bytes, the result thrown away, which holds the whole document several times over.
 *
 *     npm run bench -- parse
 */
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Bench, Benchmark } from './harness/bench.js'
import { median, shown } from './harness/bench.js'
import { inOwnProcess } from './harness/own-process.js'
import { projectDocument } from './index-server/documents.js'
import { MadeUpSource } from './index-server/made-up.js'
import type { ParseResult, Way } from './parse-case.js'

const KB = 1000
const MB = 1000 * KB
const GB = 1000 * MB

const CASES = new URL(
  import.meta.url.endsWith('.ts') ? './parse-case.ts' : './parse-case.js',
  import.meta.url
).href

export const parse: Benchmark = {
  name: 'parse',
  question: 'How fast are documents read, and at which memory?',
  isolates:
    '`MetadataParser` alone, from bodies that are there already to a reader that counts packages; each case in a process of its own.',
  floor: '`JSON.parse` of the same bytes, the result thrown away.',
  minutes: 5,
  async run(bench) {
    const folder = await bench.folder()
    const speeds = new Map<Way, [number, number][]>()
    const memories = new Map<Way, [number, number][]>()
    for (const size of bench.quick ? [14 * KB, 3 * MB] : [14 * KB, 100 * KB, MB, 10 * MB, 100 * MB, GB]) {
      const path = join(folder, `${size}.json`)
      const files = await writeDocument(path, size)
      const bytes = (await stat(path)).size
      for (const way of ['JSON.parse', 'whole', 'stream'] as const) {
        // The whole way ends at 2 MiB, and a text in V8 at 512 MiB.
        if (way === 'whole' ? bytes > 2 * MB : way === 'JSON.parse' && bytes > 400 * MB) continue
        await one(bench, { path, bytes, files, way, speeds, memories })
      }
    }
    const series = (found: Map<Way, [number, number][]>) =>
      [...found].map(([label, points]) => ({ label, points }))
    const common = { xLabel: 'bytes of the document', xLog: true }
    bench.charts.push(
      { ...common, title: 'Reading documents', yLabel: 'MB/s', series: series(speeds) },
      {
        ...common,
        suffix: 'memory',
        title: 'Peak memory of the process',
        yLabel: 'MB',
        yLog: true,
        series: series(memories)
      }
    )
  }
}

interface Case {
  readonly path: string
  readonly bytes: number
  readonly files: number
  readonly way: Way
  readonly speeds: Map<Way, [number, number][]>
  readonly memories: Map<Way, [number, number][]>
}

async function one(bench: Bench, { path, bytes, files, way, speeds, memories }: Case): Promise<void> {
  const count = bench.quick ? 1 : Math.max(1, Math.round((20 * MB) / bytes))
  const rates: number[] = []
  const peaks: number[] = []
  let held = 0
  for (let sample = 0; sample < bench.size(bytes > 10 * MB ? 1 : 5, 1); sample++) {
    const { result, peakBytes } = await inOwnProcess<ParseResult>(CASES, 'parseDocument', path, way, count)
    bench.check(`packages of a document of ${shown(bytes / MB)} MB, ${way}`, result.packages, files)
    rates.push((bytes * count) / MB / (result.ms / 1000))
    peaks.push(peakBytes / MB)
    held = Math.max(held, result.heldMs)
  }
  const peak = median(peaks)
  bench.log(`${way} ${bytes}: ${median(rates).toFixed(1)} MB/s, ${peak.toFixed(0)} MB`)
  bench.row(`${way}-${shown(bytes / MB)}MB`, 'MB/s', rates, {
    'peak memory, MB': peak,
    'event loop held at most, ms': held
  })
  for (const [found, value] of [
    [speeds, median(rates)],
    [memories, peak]
  ] as const) {
    const points = found.get(way) ?? []
    points.push([bytes, value])
    found.set(way, points)
  }
  if (way === 'stream' && bytes > 500 * MB) {
    bench.atLeast('a document of 1 GB, MB/s', median(rates), 30)
    bench.atMost('a document of 1 GB, peak memory in MB', peak, 200)
  }
}

/** Writes a PEP 691 document of about so many bytes; returns how many files it lists. */
async function writeDocument(path: string, bytes: number): Promise<number> {
  const project = new MadeUpSource({ projects: 0, fileBytes: 'none' }, { name: 'huge', bytes }).project(
    'huge'
  )
  if (project === undefined) throw new Error('there is no such project')
  await pipeline(
    Readable.from(chunks(projectDocument(project, 'json', 'https://files.example'))),
    createWriteStream(path)
  )
  let files = 0
  for (const _ of project.files) files++
  return files
}

function* chunks(texts: Iterable<string>): Iterable<string> {
  let text = ''
  for (const part of texts) {
    text += part
    if (text.length < 65_536) continue
    yield text
    text = ''
  }
  yield text
}
