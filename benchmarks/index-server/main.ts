/**
 * The index in a process of its own. Prints one line of JSON, `{ "origin", "indexUrl" }`, and runs until it
 * is told to end, or until its standard input closes: a parent that dies takes it along.
 *
 *     node dist/benchmarks/index-server/main.js --projects 1000 --files 24 --latency 50
 */
import { parseArgs } from 'node:util'
import { pyodideWheels, recordedSource, wheelSource } from './recorded.js'
import { startIndexServer } from './server.js'

const options = {
  /** Made-up projects. */
  projects: { type: 'string', default: '10' },
  /** Files of each, or `skewed`. */
  files: { type: 'string', default: '24' },
  /** Bytes of each file, or `none`. */
  'file-bytes': { type: 'string', default: '1024' },
  seed: { type: 'string', default: '1' },
  /** Bytes of the document of one more project, `huge`. */
  huge: { type: 'string' },
  /** Serves the real wheels of the demo as well. */
  wheels: { type: 'boolean', default: false },
  /** A folder of recorded documents to serve as well. */
  recorded: { type: 'string' },
  /** Ms before each answer. */
  latency: { type: 'string', default: '0' },
  'bytes-per-second': { type: 'string' },
  /** The same for each client, by its header `x-client`. */
  'client-bytes-per-second': { type: 'string' },
  port: { type: 'string', default: '0' },
  'no-gzip': { type: 'boolean', default: false },
  'no-validators': { type: 'boolean', default: false },
  'html-only': { type: 'boolean', default: false },
  'relative-urls': { type: 'boolean', default: false }
} as const

function read() {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(2)
  }
}

const values = read()
const server = await startIndexServer({
  projects: Number(values.projects),
  files: values.files === 'skewed' ? 'skewed' : Number(values.files),
  fileBytes: values['file-bytes'] === 'none' ? 'none' : Number(values['file-bytes']),
  seed: Number(values.seed),
  huge: values.huge === undefined ? undefined : { name: 'huge', bytes: Number(values.huge) },
  sources: [
    ...(values.wheels ? [wheelSource(pyodideWheels())] : []),
    ...(values.recorded === undefined ? [] : [recordedSource(values.recorded)])
  ],
  latencyMs: Number(values.latency),
  bytesPerSecond: values['bytes-per-second'] === undefined ? undefined : Number(values['bytes-per-second']),
  clientBytesPerSecond:
    values['client-bytes-per-second'] === undefined ? undefined : Number(values['client-bytes-per-second']),
  port: Number(values.port),
  gzip: !values['no-gzip'],
  validators: !values['no-validators'],
  formats: values['html-only'] ? ['html'] : undefined,
  relativeUrls: values['relative-urls'],
  record: false
})

process.stdout.write(`${JSON.stringify({ origin: server.origin, indexUrl: server.indexUrl })}\n`)

let ending = false
async function end(): Promise<void> {
  if (ending) return
  ending = true
  await server.close()
  process.exit()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
// A terminal or /dev/null is no parent that may die.
if (process.env.MILLRACE_INDEX_CHILD !== undefined) process.stdin.on('end', end).on('error', end).resume()
