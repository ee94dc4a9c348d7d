/**
 * Runs benchmarks, all or by name, prints their tables and writes `results/` and `RESULTS.md`.
 *
 *     npm run bench                      all; takes an hour
 *     npm run bench -- floor parse       some
 *     npm run bench -- growth --all-of-pypi
 *     npm run bench -- serial-vs-parallel --only=on-demand-10 --merge
 *                                        one part of a long one, added to what there is
 *     npm run bench -- --quick           small sizes, to see that all works; writes nothing
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Bench } from './harness/bench.js'
import { readEnvironment } from './harness/environment.js'
import { resultOf, table, writeResult, writeResults } from './harness/report.js'
import { benchmarks } from './list.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, here.includes(`${join('dist', 'benchmarks')}`) ? '../..' : '..')
const args = process.argv.slice(2)
const flags = new Set(args.filter(arg => arg.startsWith('--')).map(arg => arg.slice(2)))
const names = args.filter(arg => !arg.startsWith('--'))
const order = benchmarks.map(({ name }) => name)
const unknown = names.find(name => !order.includes(name))
if (unknown !== undefined) {
  process.stderr.write(`There is no benchmark ${unknown}; there are ${order.join(', ')}\n`)
  process.exit(2)
}

const quick = flags.has('quick')
for (const benchmark of benchmarks) {
  if (names.length > 0 && !names.includes(benchmark.name)) continue
  process.stderr.write(`# ${benchmark.name}: ${benchmark.question}\n`)
  const log = (text: string) => process.stderr.write(`  ${text}\n`)
  const bench = new Bench({ quick, flags, log })
  const environment = await readEnvironment(root)
  try {
    await benchmark.run(bench)
  } finally {
    await bench.end()
  }
  const result = resultOf(benchmark, bench, environment)
  process.stdout.write(`\n## ${benchmark.name}\n\n${table(result)}\n`)
  if (quick) continue
  await writeResult(join(root, 'benchmarks/results'), result, flags.has('merge'))
  await writeResults(join(root, 'benchmarks'), order)
}
if (flags.has('write')) await writeResults(join(root, 'benchmarks'), order)
