/**
 * A sync: runs the list of stages, and reports what they did.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Catalog } from '../lib/catalog/catalog.js'
import { Origins } from '../lib/http/origins.js'
import { redactUrl } from '../lib/http/redact.js'
import { httpUrl, oneOf, text } from '../lib/options.js'
import { emptyReport, type Report } from '../lib/report.js'
import { DirectoryStore } from '../lib/store/directory-store.js'
import { PlanWriter } from './plan-writer.js'
import {
  checkStageOptions,
  packageStages,
  type Stage,
  type SyncOptions,
  savingStages
} from './sync-stages.js'
import { SyncWatch } from './sync-watch.js'

export type { Stage, SyncOptions } from './sync-stages.js'

const POLICIES = ['on-demand', 'immediate', 'streamed'] as const
const SOURCES = ['simple', 'json'] as const

/** The options with their defaults, where a sync and a dry run need them. */
type Settings = SyncOptions & {
  readonly [K in 'catalog' | 'store' | 'repository' | 'source' | 'policy']: NonNullable<SyncOptions[K]>
}

/**
 * Brings a repository up to date with an index. Items that cannot be had are in the report's `failures`.
 * @throws {@link OptionError} and {@link RequirementError} before anything is opened; {@link BusyError} while
 * another sync of the repository runs; {@link DownloadError} or {@link DocumentError} when the index cannot be
 * listed; {@link CatalogError} and {@link StoreError}; an `AbortError`. Then no version was made.
 */
export async function sync(options: SyncOptions = {}): Promise<Report> {
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
  options.signal?.throwIfAborted()
  const settings: Settings = {
    ...options,
    ...{ catalog, store, repository, source, policy },
    // One for both downloaders, which are one client.
    origins: origins instanceof Origins ? origins : new Origins(origins)
  }
  const startedAt = performance.now()
  const report = emptyReport(repository)
  try {
    await (options.dryRun ? plan(settings, index, report) : run(settings, index, report))
  } finally {
    report.durationMs = Math.round(performance.now() - startedAt)
  }
  return report
}

async function run(settings: Settings, index: URL, report: Report): Promise<void> {
  const { catalog, store, repository, policy, mirror = false, signal } = settings
  const opened = typeof catalog === 'string' ? await Catalog.open(catalog) : catalog
  try {
    const run = await opened.beginRun({
      repository,
      mirror,
      options: shownOptions({ ...settings, indexUrl: redactUrl(index) }),
      optionsKey: optionsKey(settings, index)
    })
    const watch = new SyncWatch(run, report, settings)
    try {
      const kept = typeof store === 'string' ? new DirectoryStore(store) : store
      // What a run that was killed left half-written.
      if (policy === 'immediate' && kept instanceof DirectoryStore) await kept.clean()
      await runStages(
        [
          ...packageStages(settings, index, run),
          ...savingStages(
            settings,
            index,
            run,
            policy === 'immediate' ? kept : undefined,
            () => watch.completeListing
          )
        ],
        settings,
        watch,
        report
      )
      await watch.record()
      await run.finish('done', report)
    } catch (error) {
      // What is settled need not be fetched again. Where the catalog is what failed, the first error tells more.
      await run.ledger.flush().catch(() => {})
      await watch.record().catch(() => {})
      await run.finish(signal?.aborted ? 'interrupted' : 'failed', report).catch(() => {})
      throw error
    }
  } finally {
    if (opened !== catalog) await opened.close()
  }
}

/** A dry run compares with the catalog that is there; it takes no lock and makes no file. */
async function plan(settings: Settings, index: URL, report: Report): Promise<void> {
  const { catalog: given, repository } = settings
  const opened =
    typeof given === 'string' && existsSync(given) ? await Catalog.open(given, { create: false }) : undefined
  try {
    const catalog = typeof given === 'string' ? opened : given
    const known = (await catalog?.repositories())?.includes(repository) ?? false
    const writer = new PlanWriter({ catalog: known ? catalog : undefined, repository })
    const watch = new SyncWatch(undefined, report, settings)
    await runStages([...packageStages(settings, index), writer], settings, watch, report)
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
  report: Report
): Promise<void> {
  const list = stages?.(made, report) ?? made
  watch.observe(list)
  await pipeline(list, signal === undefined ? {} : { signal })
  watch.finish()
}

/** The options as the run's row shows them: nothing secret, and nothing that is not data. */
function shownOptions(options: SyncOptions): Record<string, unknown> {
  const { catalog, store, dispatcher, headers, authorization, origins, signal, stages, ...shown } = options
  return shown
}

/** Stands for every option that decides which packages a project has. */
function optionsKey(options: Settings, index: URL): string {
  const { prereleases, packageTypes, keepLatest, excludePlatforms, python, uploadedBefore, maxFileSize } =
    options
  const { includes, excludes, source, policy } = options
  const deciding = {
    index: redactUrl(index),
    source,
    // Other policies keep the same packages; this one has files for each of them.
    immediate: policy === 'immediate',
    includes,
    excludes,
    prereleases,
    packageTypes,
    keepLatest,
    excludePlatforms,
    python,
    uploadedBefore,
    maxFileSize
  }
  return createHash('sha256').update(JSON.stringify(deciding)).digest('hex').slice(0, 32)
}
