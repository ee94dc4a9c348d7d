/**
 * A worker in a process of its own, which tells the index which client it is. Ends when its standard input closes.
 *
 *     node dist/benchmarks/cluster-worker.js postgres://… STORE NAME
 */
import { work } from '../streams/index.js'

const [catalog = '', store = '', name = ''] = process.argv.slice(2)
const end = new AbortController()
process.stdin.on('end', () => end.abort()).resume()
const cpu = process.cpuUsage()
const { counts } = await work({
  ...{ catalog, store, signal: end.signal },
  own: () => ({ headers: { 'x-client': name } })
})
const { user, system } = process.cpuUsage(cpu)
process.stdout.write(`${JSON.stringify({ cpuMs: (user + system) / 1000, bytes: counts.files.bytes })}\n`)
