/**
 * What a benchmark is, and what it collects while it runs: rows, checks, bars and charts.
 */
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chart } from './chart.js'

/** One question. */
export interface Benchmark {
  readonly name: string
  readonly question: string
  /** What is measured, and what is kept out of it. */
  readonly isolates: string
  /** What cannot be beaten. */
  readonly floor: string
  /** Minutes that it takes, where that is more than one. */
  readonly minutes?: number | undefined
  run(bench: Bench): Promise<void>
}

/** One line of the table. */
export interface Row {
  readonly case: string
  readonly unit: string
  readonly samples: readonly number[]
  /** Further columns. */
  readonly more: Readonly<Record<string, string | number>>
}

/** What a figure should reach. */
export interface Bar {
  readonly what: string
  readonly wanted: string
  readonly found: number
  readonly holds: boolean
}

/** What one case took in one sample. */
export interface Sample {
  readonly ms: number
  /** CPU time of this process, all its threads. */
  readonly cpuMs: number
}

export interface BenchOptions {
  /** Small sizes and one sample, to see that all works. */
  readonly quick: boolean
  readonly flags: ReadonlySet<string>
  readonly log: (text: string) => void
}

export class Bench {
  readonly quick: boolean
  readonly flags: ReadonlySet<string>
  readonly log: (text: string) => void
  readonly rows: Row[] = []
  readonly checks: string[] = []
  readonly bars: Bar[] = []
  readonly charts: Chart[] = []
  readonly notes: string[] = []
  readonly #folders: string[] = []

  constructor({ quick, flags, log }: BenchOptions) {
    this.quick = quick
    this.flags = flags
    this.log = log
  }

  /** Whether a part of the question is to be answered: all, or those that begin as one of the flags `--only=` says. */
  wants(part: string): boolean {
    const only = [...this.flags].filter(flag => flag.startsWith('only=')).map(flag => flag.slice(5))
    return only.length === 0 || only.some(name => part.startsWith(name))
  }

  /** The number for a real run, or the small one for a quick run. */
  size(real: number, quick: number): number {
    return this.quick ? quick : real
  }

  /** A new folder, removed at the end. */
  async folder(): Promise<string> {
    const path = join(tmpdir(), `millrace-bench-${process.pid}-${this.#folders.length}`)
    await rm(path, { recursive: true, force: true })
    await mkdir(path, { recursive: true })
    this.#folders.push(path)
    return path
  }

  /**
   * Runs cases in turns, so that what disturbs the machine disturbs all of them: once to warm up, then `samples` times.
   */
  async sample<Name extends string>(
    cases: Readonly<Record<Name, () => Promise<unknown>>>,
    { samples = 9, warmUp = true }: { readonly samples?: number; readonly warmUp?: boolean } = {}
  ): Promise<Record<Name, Sample[]>> {
    const names = Object.keys(cases) as Name[]
    const found = Object.fromEntries(names.map(name => [name, [] as Sample[]])) as Record<Name, Sample[]>
    if (warmUp && !this.quick) for (const name of names) await cases[name]()
    for (let turn = 0; turn < this.size(samples, 1); turn++) {
      for (const name of names) {
        const sample = await timed(cases[name])
        found[name].push(sample)
        this.log(`${name}: ${sample.ms.toFixed(0)} ms`)
      }
    }
    return found
  }

  /** Adds a line to the table. */
  row(name: string, unit: string, samples: readonly number[], more: Row['more'] = {}): void {
    this.rows.push({ case: name, unit, samples, more })
  }

  /** Notes that the output is right. @throws Error where it is not: what is wrong is not measured */
  check(what: string, found: unknown, wanted: unknown): void {
    const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)]
    if (left !== right) throw new Error(`${what}: found ${left}, not ${right}`)
    const line = `${what}: ${left}`
    if (!this.checks.includes(line)) this.checks.push(line)
  }

  atMost(what: string, found: number, limit: number): void {
    this.bars.push({ what, wanted: `at most ${limit}`, found, holds: found <= limit })
  }

  atLeast(what: string, found: number, limit: number): void {
    this.bars.push({ what, wanted: `at least ${limit}`, found, holds: found >= limit })
  }

  async end(): Promise<void> {
    for (const path of this.#folders) await rm(path, { recursive: true, force: true })
  }
}

/** Times one call. */
export async function timed(work: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { ms, cpuMs: (user + system) / 1000 }
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}

/** Wall times of samples. */
export function walls(samples: readonly Sample[]): number[] {
  return samples.map(({ ms }) => ms)
}

/** The middle of the CPU times. */
export function cpu(samples: readonly Sample[]): number {
  return median(samples.map(({ cpuMs }) => cpuMs))
}

/** A number for people: three digits that count. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const text = value.toFixed(Math.min(digits, 3))
  const [whole = '', fraction] = text.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}
