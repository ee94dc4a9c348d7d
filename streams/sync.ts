/**
 * A sync: runs the list of stages, and reports what they did.
 */
import { pipeline } from 'node:stream/promises'
import { Catalog } from '../lib/catalog/catalog.js'
import type { Run } from '../lib/catalog/run.js'
import { parseRequirements, type Requirements } from '../lib/filter/projects.js'
import { Origins } from '../lib/http/origins.js'
import { redactUrl } from '../lib/http/redact.js'
import { watchSync } from '../lib/observe.js'
import { httpUrl, oneOf, text } from '../lib/options.js'
import { countsOf } from '../lib/progress.js'
import { formatRequirement } from '../lib/pypi/requirement.js'
import { emptyReport, failureOf, type Report } from '../lib/report.js'
import { openStore } from '../lib/store/open-store.js'
import { PlanWriter } from './plan-writer.js'
import { syncKeys } from './sync-keys.js'
import { recordProgress } from './sync-progress.js'
import {
  checkStageOptions,
  fullCheckMs,
  packageStages,
  type Stage,
  type SyncOptions,
  savingStages,
  sourceStage,
  versionStage
} from './sync-stages.js'
import { SyncWatch } from './sync-watch.js'

export type { Stage, SyncOptions } from './sync-stages.js'

const POLICIES = ['on-demand', 'immediate', 'streamed'] as const
const SOURCES = ['simple', 'json'] as const

/** The options with their defaults, where a sync and a dry run need them. @internal */
export type Settings = SyncOptions & {
  readonly [K in 'catalog' | 'store' | 'repository' | 'source' | 'policy']: NonNullable<SyncOptions[K]>
}

/**
 * Brings a repository up to date with an index. Items that cannot be had are in the report's `failures`.
 * @throws {@link OptionError} and {@link RequirementError} before anything is opened; {@link BusyError} while
 * another sync of the repository runs; {@link DownloadError} or {@link DocumentError} when the index cannot be
 * listed; {@link CatalogError} and {@link StoreError}; an `AbortError`. Then no version was made.
 */
export async function sync(options: SyncOptions = {}): Promise<Report> {
  const { settings, index } = settingsOf(options)
  options.signal?.throwIfAborted()
  const startedAt = performance.now()
  const report = emptyReport(settings.repository)
  try {
    if (options.dryRun) await plan(settings, index, report)
    else await watchSync(report, () => run(settings, index, report, startedAt))
  } finally {
    report.durationMs = Math.round(performance.now() - startedAt)
  }
  return report
}

/** The options with their defaults. @internal @throws as {@link sync} before anything is opened */
export function settingsOf(options: SyncOptions): { readonly settings: Settings; readonly index: URL } {
  const {
    catalog = 'millrace.db',
    store = 'millrace-store',
    repository = 'pypi',
    indexUrl = 'https://pypi.org/simple/',
    source = 'simple',
    policy = 'on-demand',
    origins
  } = options
  const index = httpUrl('indexUrl', indexUrl)
  oneOf('source', source, SOURCES)
  oneOf('policy', policy, POLICIES)
  text('repository', repository)
  if (typeof catalog === 'string') text('catalog', catalog)
  if (typeof store === 'string') text('store', store)
  checkStageOptions(options, index)
  const settings: Settings = {
    ...options,
    ...{ catalog, store, repository, source, policy },
    // One for both downloaders, which are one client.
    origins: origins instanceof Origins ? origins : new Origins(origins)
  }
  return { settings, index }
}

async function run(settings: Settings, index: URL, report: Report, startedAt: number): Promise<void> {
  const { catalog, store, repository, policy, mirror = false, keepVersions, signal } = settings
  const kept = await openStore(store)
  const opened = typeof catalog === 'string' ? await Catalog.open(catalog) : catalog
  const { key, projectKey } = syncKeys(settings, index)
  const told = () => ({ ...countsOf(report), durationMs: Math.round(performance.now() - startedAt) })
  try {
    const run = await opened.beginRun({
      ...{ repository, mirror, projectKey, optionsKey: key },
      options: shownOptions({ ...settings, indexUrl: redactUrl(index) }),
      files: policy === 'immediate',
      fullCheckMs: fullCheckMs(settings)
    })
    let watch: SyncWatch | undefined
    try {
      const due = await run.due()
      const watching = new SyncWatch(run, report, { ...settings, due })
      watch = watching
      // What a run that was killed left half-written.
      if (policy === 'immediate') await kept.clean()
      await runStages(
        [
          sourceStage(settings, index, { due }),
          ...packageStages(settings, index, run),
          ...savingStages(settings, index, run, policy === 'immediate' ? kept : undefined),
          versionStage(settings, run, () => watching.completeListing)
        ],
        settings,
        watching,
        report,
        run
      )
      await watching.record()
      await run.keepListing(watching.keptListing)
      if (keepVersions !== undefined) await run.forgetVersions(keepVersions)
      await run.finish('done', told())
    } catch (error) {
      // What is settled need not be fetched again. Where the catalog is what failed, the first error tells more.
      await run.ledger.flush().catch(() => {})
      const failure = failureOf(error as Error, {})
      if (!signal?.aborted && report.failures.at(-1)?.message !== failure.message)
        report.failures.push(failure)
      await watch?.record().catch(() => {})
      await run.finish(signal?.aborted ? 'interrupted' : 'failed', told()).catch(() => {})
      throw error
    }
    // Under the locks of all repositories, so not before this one's is given back.
    if (keepVersions !== undefined) await opened.removeUnusedFiles(kept)
  } finally {
    if (opened !== catalog) await opened.close()
  }
}

/** A dry run compares with the catalog that is there; it takes no lock and makes no file. */
async function plan(settings: Settings, index: URL, report: Report): Promise<void> {
  const { catalog: given, repository } = settings
  const opened =
    typeof given === 'string' && (await Catalog.exists(given))
      ? await Catalog.open(given, { create: false })
      : undefined
  try {
    const catalog = typeof given === 'string' ? opened : given
    const known = (await catalog?.repositories())?.includes(repository) ?? false
    const writer = new PlanWriter({ catalog: known ? catalog : undefined, repository })
    const watch = new SyncWatch(undefined, report, settings)
    await runStages(
      [sourceStage(settings, index), ...packageStages(settings, index), writer],
      settings,
      watch,
      report
    )
    report.plan = { projects: writer.projects, dropped: watch.dropped }
    if (known) report.version = (await catalog?.versions(repository))?.at(-1)?.number ?? 0
    report.packages.added = writer.projects.reduce((sum, { packages }) => sum + packages, 0)
  } finally {
    await opened?.close()
  }
}

async function runStages(
  made: readonly Stage[],
  { stages, signal }: SyncOptions,
  watch: SyncWatch,
  report: Report,
  run?: Run
): Promise<void> {
  const list = stages?.(made, report) ?? made
  watch.observe(list)
  const stop = run && recordProgress(run, list, report)
  await pipeline(list, signal === undefined ? {} : { signal })
    .catch(error => {
      // Aborted a moment too late: the version is there.
      if (!watch.committed) throw error
    })
    .finally(stop)
  watch.finish()
}

/** The options as the run's row shows them: nothing secret, and nothing that is not data. @internal */
export function shownOptions(options: SyncOptions): Record<string, unknown> {
  const { catalog, store, dispatcher, headers, authorization, origins, signal, stages, ...shown } = options
  const { includes, excludes } = options
  return { ...shown, includes: shownRequirements(includes), excludes: shownRequirements(excludes) }
}

/** Requirements as text, without their URLs, which may hold credentials. */
function shownRequirements(requirements: Requirements | undefined): string[] | undefined {
  if (requirements === undefined) return undefined
  return parseRequirements('', requirements).map(one => formatRequirement({ ...one, url: undefined }))
}
