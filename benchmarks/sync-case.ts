/**
 * One sync, for a process of its own.
 */
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
  const start = performance.now()
  const report = await syncAll(catalog, options)
  return { ms: performance.now() - start, report: { ...report, failures: report.failures.slice(0, 5) } }
}
