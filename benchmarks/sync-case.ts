/**
 * Syncs, for a process of their own.
 */
import { keepHeapSmall } from '../bin/heap.js'
import type { Report } from '../lib/report.js'
import { syncAll } from './workload.js'

export interface SyncCaseOptions {
  readonly catalog: string
  readonly indexUrl: string
  readonly concurrency: number
}

export interface SyncResult {
  readonly ms: number
  readonly report: Report
}

/** Runs a sync on the catalog at a path. */
export async function syncOnce({ catalog, ...options }: SyncCaseOptions): Promise<SyncResult> {
  // As the command line does.
  keepHeapSmall()
  const start = performance.now()
  const report = await syncAll(catalog, options)
  return { ms: performance.now() - start, report: { ...report, failures: report.failures.slice(0, 5) } }
}

/** Runs syncs one after the other for so many seconds; before each but the first, a tenth of the projects is released. Gives how many. */
export async function syncFor({
  seconds,
  origin,
  ...options
}: SyncCaseOptions & { readonly seconds: number; readonly origin: string }): Promise<number> {
  const end = performance.now() + seconds * 1000
  for (let syncs = 1; ; syncs++) {
    const { report } = await syncOnce(options)
    if (performance.now() >= end) return syncs
    await fetch(`${origin}/-/release?count=${report.projects.listed / 10}`, { method: 'POST' })
  }
}
