/**
 * Writes what was measured: JSON and pictures in `results/`, and `RESULTS.md` of all there are.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bar, type Bench, type Benchmark, median, type Row, shown } from './bench.js'
import { type Chart, drawChart } from './chart.js'
import type { Environment } from './environment.js'

/** What `results/NAME.json` holds. */
export interface Result {
  readonly name: string
  readonly question: string
  readonly isolates: string
  readonly floor: string
  readonly environment: Environment
  readonly rows: readonly Row[]
  readonly bars: readonly Bar[]
  readonly checks: readonly string[]
  readonly notes: readonly string[]
  readonly charts: readonly Chart[]
}

export function resultOf(benchmark: Benchmark, bench: Bench, environment: Environment): Result {
  const { name, question, isolates, floor } = benchmark
  const { rows, bars, checks, notes, charts } = bench
  return { name, question, isolates, floor, environment, rows, bars, checks, notes, charts }
}

export function chartFile(name: string, { suffix }: Chart): string {
  return suffix === undefined ? `${name}.svg` : `${name}-${suffix}.svg`
}

/** The table of a result, in Markdown. */
export function table({ rows, bars }: Pick<Result, 'rows' | 'bars'>): string {
  const more = [...new Set(rows.flatMap(row => Object.keys(row.more)))]
  const lines = rows.map(({ case: name, unit, samples, more: values }) => {
    const range =
      samples.length === 1 ? '' : `${shown(Math.min(...samples))} .. ${shown(Math.max(...samples))}`
    const others = more.map(key => {
      const value = values[key] ?? ''
      return typeof value === 'number' ? shown(value) : value
    })
    return [name, `${shown(median(samples))} ${unit}`, range, samples.length, ...others]
  })
  const text = markdown(['case', 'median', 'min .. max', 'samples', ...more], lines)
  if (bars.length === 0) return text
  const reached = bars.map(({ what, wanted, found, holds }) => [
    what,
    wanted,
    shown(found),
    holds ? 'yes' : 'no'
  ])
  return `${text}\n${markdown(['bar', 'wanted', 'found', 'reached'], reached)}`
}

function markdown(head: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return `${[line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n')}\n`
}

/**
 * Writes JSON and pictures of one result. With `merge`, what an earlier run wrote stays where this one has nothing of the
 * same name: a long question is answered in parts.
 */
export async function writeResult(folder: string, found: Result, merge: boolean): Promise<void> {
  await mkdir(folder, { recursive: true })
  const earlier = merge
    ? await readFile(join(folder, `${found.name}.json`), 'utf8').catch(() => undefined)
    : undefined
  const result = earlier === undefined ? found : merged(JSON.parse(earlier) as Result, found)
  await writeFile(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 1)}\n`)
  for (const chart of result.charts)
    await writeFile(join(folder, chartFile(result.name, chart)), drawChart(chart))
}

function merged(old: Result, found: Result): Result {
  const join = <T>(key: (item: T) => string | undefined, before: readonly T[], after: readonly T[]) => [
    ...new Map([...before, ...after].map(item => [key(item), item])).values()
  ]
  const itself = (text: string) => text
  return {
    ...found,
    rows: join(row => row.case, old.rows, found.rows),
    bars: join(bar => bar.what, old.bars, found.bars),
    checks: join(itself, old.checks, found.checks),
    notes: join(itself, old.notes, found.notes),
    charts: join(chart => chart.suffix, old.charts, found.charts)
  }
}

const INTRODUCTION = `# Results

Made by \`npm run bench\`; only what stands under "Reading" is written by hand, in \`reading/\`.

## Read this first

- Compare ratios, not absolute times: cases of one question run in turns in the same run, and the same machine was seen
  to be twice as fast or slow from one run to the next.
- The index runs in a process of its own on the same machine, over the loopback interface without TLS. Where a round-trip
  time is stated, the index waits that long before each answer.
- Each case checks its output in the same run. A figure without that check is not here.
- Median of the samples, with the least and the greatest. One warm-up comes before them, unless one sample takes minutes.
`

/** Writes \`RESULTS.md\` anew from all results that there are. */
export async function writeResults(benchmarks: string, order: readonly string[]): Promise<void> {
  const folder = join(benchmarks, 'results')
  const results: Result[] = []
  for (const file of await readdir(folder)) {
    if (file.endsWith('.json')) results.push(JSON.parse(await readFile(join(folder, file), 'utf8')) as Result)
  }
  results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  const parts = [INTRODUCTION]
  for (const result of results) parts.push(await section(benchmarks, result))
  parts.push(tried(JSON.parse(await readFile(join(benchmarks, 'tried.json'), 'utf8')) as Tried[]))
  await writeFile(join(benchmarks, 'RESULTS.md'), parts.join('\n'))
}

/** What `tried.json` holds: measured once, when it was tried. */
interface Tried {
  readonly what: string
  readonly measured: string
  readonly unit: string
  readonly ways: readonly { readonly way: string; readonly found: string; readonly kept: boolean }[]
  readonly says: string
}

function tried(all: readonly Tried[]): string {
  const parts = all.map(({ what, measured, unit, ways, says }) => {
    const lines = ways.map(({ way, found, kept }) => [way, found, kept ? 'kept' : ''])
    return `### ${what}\n\nMeasured: ${measured}.\n\n${markdown(['way', unit, ''], lines)}\n${says}\n`
  })
  return `## What was tried\n\nFigures of single runs, from \`tried.json\`.\n\n${parts.join('\n')}`
}

async function section(benchmarks: string, result: Result): Promise<string> {
  const { name, question, isolates, floor, environment: env, checks, notes, charts } = result
  const reading = await readFile(join(benchmarks, 'reading', `${name}.md`), 'utf8').catch(() => undefined)
  return [
    `## ${name}: ${question}\n`,
    `${isolates} Floor: ${floor}\n`,
    `Environment: Node ${env.node}, ${env.cores} × ${env.cpu}, ${env.memoryGiB} GiB, ${env.system}, load ${env.load} before, niceness ${env.priority}; ${env.date}, commit ${env.commit}.\n`,
    table(result),
    ...charts.map(chart => `![${chart.title}](results/${chartFile(name, chart)})\n`),
    ...(checks.length === 0 ? [] : [`Checked in the same run: ${checks.join('; ')}.\n`]),
    ...notes.map(note => `${note}\n`),
    ...(reading === undefined ? [] : [`### Reading\n\n${reading.trim()}\n`])
  ].join('\n')
}
