/**
 * What a sync that runs is doing, stage by stage: what the command line shows of its own, and what a server shows of
 * that of another process.
 */
import type { Report } from './report.js'

/** One side of a stage. */
export interface Buffered {
  /** Objects that wait. */
  readonly length: number
  readonly highWaterMark: number
}

export interface StageProgress {
  /** Its class. */
  readonly name: string
  /** What a downloader fetches. */
  readonly fetches?: 'documents' | 'files' | undefined
  /** Calls under way, of so many at once, and how many that were on the average since the sync began. */
  readonly inFlight?: number | undefined
  readonly concurrency?: number | undefined
  readonly meanInFlight?: number | undefined
  /** What was written to it and waits; a source has no such side. */
  readonly input?: Buffered | undefined
  /** What waits for its reader; a sink has no such side. */
  readonly output?: Buffered | undefined
  /** Objects that it has done with; `undefined` where it does not say. */
  readonly passed?: number | undefined
  /** Of those, how many a second. */
  readonly rate?: number | undefined
  /** Share of the last second, from 0 to 1, in which its reader took nothing from it: back-pressure. */
  readonly waits: number
  /** Whether it has come to its end. */
  readonly ended: boolean
}

/** A report as it is kept: failures are rows of their own. */
export type Counts = Omit<Report, 'failures' | 'plan'> & { readonly failures: number }

export interface Progress {
  readonly elapsedMs: number
  /** Projects listed that are not done with. */
  readonly left: number
  /** Whether the listing was read to its end, so that no more will come. */
  readonly listed: boolean
  readonly stages: readonly StageProgress[]
  readonly report: Counts
  /** Where a cluster does it: its shards, those that are done, and the workers that have one. */
  readonly cluster?: { readonly shards: number; readonly done: number; readonly workers: number } | undefined
}

/** From this share of the time on, a stage counts as held up. */
const HELD_UP = 0.5

/** Whether a stage waits for its reader rather than for anything else. */
export function isHeldUp({ waits }: Pick<StageProgress, 'waits'>): boolean {
  return waits >= HELD_UP
}

/** Positions of the stages that back-pressure comes from: those that another waits for, and that wait for none. */
export function pacemakers(stages: readonly Pick<StageProgress, 'waits'>[]): number[] {
  return [...stages.keys()].filter(at => {
    const [before, stage] = [stages[at - 1], stages[at] as StageProgress]
    return before !== undefined && isHeldUp(before) && !isHeldUp(stage)
  })
}

/** The counts of a report. */
export function countsOf({ failures, plan, ...counts }: Report): Counts {
  return { ...counts, projects: { ...counts.projects }, failures: failures.length }
}

/** The counts of two parts of one run; what is true of the whole only is the first's. */
export function addCounts(a: Counts, b: Counts): Counts {
  const sum = <T extends Readonly<Record<string, number>>>(one: T, other: T) =>
    Object.fromEntries(
      Object.entries(one).map(([name, count]) => [name, count + (other[name] as number)])
    ) as T
  return {
    ...a,
    projects: sum(a.projects, b.projects),
    packages: sum(a.packages, b.packages),
    files: sum(a.files, b.files),
    failures: a.failures + b.failures
  }
}

/** How many of the listed projects are not done with. */
export function projectsLeft({ projects }: Pick<Report, 'projects'>): number {
  const { listed, fetched, unchanged, missing, failed } = projects
  return Math.max(0, listed - fetched - unchanged - missing - failed)
}
