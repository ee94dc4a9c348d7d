/**
 * A sync: the list of stages, what runs it, and the report of what it did.
 */
import { createHash } from 'node:crypto'
import type { Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Catalog } from '../lib/catalog/catalog.js'
import type { KnownPackage, KnownProject } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import { createFilter, type FilterOptions } from '../lib/filter/index.js'
import { isPrivateHost } from '../lib/http/address.js'
import { Origins } from '../lib/http/origins.js'
import { redactUrl } from '../lib/http/redact.js'
import { httpUrl, oneOf, text } from '../lib/options.js'
import { emptyReport, type Report } from '../lib/report.js'
import { DirectoryStore } from '../lib/store/directory-store.js'
import type { Store } from '../lib/store/store.js'
import { CatalogLookup } from './catalog-lookup.js'
import { Downloader, type DownloaderOptions } from './downloader.js'
import { MetadataParser } from './metadata-parser.js'
import { PackageFilter } from './package-filter.js'
import { PackageSaver } from './package-saver.js'
import { ProjectLookup } from './project-lookup.js'
import { ProjectSource } from './project-source.js'
import { SyncWatch } from './sync-watch.js'
import { VersionWriter } from './version-writer.js'

/** One stream of the pipeline. */
export type Stage = Readable | Duplex | Writable

/** How requests are made; described at {@link DownloaderOptions}. */
type RequestOptions = Pick<
  DownloaderOptions<never>,
  | 'dispatcher'
  | 'headers'
  | 'authorization'
  | 'maxRetries'
  | 'minTimeout'
  | 'maxTimeout'
  | 'origins'
  | 'allowPrivate'
>

export interface SyncOptions extends FilterOptions, RequestOptions {
  /** The index. @defaultValue `https://pypi.org/simple/` */
  readonly indexUrl?: string | URL | undefined
  /** Documents to read: `simple`, PEP 691 JSON or PEP 503 HTML; `json`, `/pypi/NAME/json`. @defaultValue `simple` */
  readonly source?: 'simple' | 'json' | undefined
  /** A catalog that the caller opened and will close, or where it lies. @defaultValue `millrace.db` */
  readonly catalog?: Catalog | string | undefined
  /** Where files go: a store, or the folder of one. @defaultValue `millrace-store` */
  readonly store?: Store | string | undefined
  /** Name of the repository in the catalog; it is made where there is none. @defaultValue `pypi` */
  readonly repository?: string | undefined
  /**
   * `on-demand`: catalog now, files at their first request. `immediate`: files now. `streamed`: files never kept.
   * @defaultValue `on-demand`
   */
  readonly policy?: 'on-demand' | 'immediate' | 'streamed' | undefined
  /** Also remove what upstream no longer has. A project that failed is not taken for absent. @defaultValue false */
  readonly mirror?: boolean | undefined
  /** Documents in flight. @defaultValue 32 */
  readonly concurrency?: number | undefined
  /** Files in flight. @defaultValue 16 */
  readonly downloadConcurrency?: number | undefined
  /** Fail at the first project or file that cannot be had. @defaultValue false */
  readonly strict?: boolean | undefined
  /** Stops the sync when aborted; what was saved is there for the next run. */
  readonly signal?: AbortSignal | undefined
  /**
   * Sees the list of stages before it runs, and gives the list to run: with stages inserted, replaced or left out.
   * `report` grows while the sync runs.
   */
  readonly stages?: ((stages: readonly Stage[], report: Report) => readonly Stage[]) | undefined
}

const POLICIES = ['on-demand', 'immediate', 'streamed'] as const
const SOURCES = ['simple', 'json'] as const

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
    mirror = false,
    signal
  } = options
  const index = httpUrl('indexUrl', indexUrl)
  oneOf('source', source, SOURCES)
  oneOf('policy', policy, POLICIES)
  text('repository', repository)
  createFilter(options)
  signal?.throwIfAborted()

  const startedAt = performance.now()
  const report = emptyReport(repository)
  const opened = typeof catalog === 'string' ? await Catalog.open(catalog) : catalog
  try {
    const run = await opened.beginRun({
      repository,
      mirror,
      options: shownOptions({ ...options, indexUrl: redactUrl(index), source, policy }),
      optionsKey: optionsKey(options, index, source, policy)
    })
    try {
      const kept = typeof store === 'string' ? new DirectoryStore(store) : store
      const watch = new SyncWatch(run, report, options)
      const stages = syncStages(options, index, run, policy === 'immediate' ? kept : undefined, watch)
      watch.observe(stages)
      await pipeline(options.stages?.(stages, report) ?? stages, signal === undefined ? {} : { signal })
      watch.finish()
      await watch.record()
      report.durationMs = Math.round(performance.now() - startedAt)
      await run.finish('done', report)
      return report
    } catch (error) {
      report.durationMs = Math.round(performance.now() - startedAt)
      await run.finish(signal?.aborted ? 'interrupted' : 'failed', report)
      throw error
    }
  } finally {
    if (opened !== catalog) await opened.close()
  }
}

/** The list of stages that a sync runs. With `store`, files are downloaded into it. */
function syncStages(
  options: SyncOptions,
  index: URL,
  run: Run,
  store: Store | undefined,
  watch: SyncWatch
): readonly Stage[] {
  const { source, includes, excludes, concurrency = 32, downloadConcurrency = 16 } = options
  const {
    allowPrivate = isPrivateHost(index.hostname),
    origins = new Origins(),
    dispatcher,
    headers,
    authorization,
    maxRetries,
    minTimeout,
    maxTimeout
  } = options
  const requests = {
    allowPrivate,
    origins,
    dispatcher,
    headers,
    authorization,
    maxRetries,
    minTimeout,
    maxTimeout
  }
  const files = store && [
    new Downloader<KnownPackage>({
      ...requests,
      concurrency: downloadConcurrency,
      needed: ({ stored }) => stored === undefined,
      digest: 'sha256',
      directory: store.temporaryDirectory
    })
  ]
  return [
    new ProjectSource({ ...requests, indexUrl: index, source, includes, excludes }),
    new ProjectLookup({ run }),
    new Downloader<KnownProject>({ ...requests, concurrency }),
    new MetadataParser(),
    new PackageFilter(options),
    new CatalogLookup({ run }),
    ...(files ?? []),
    new PackageSaver({ run, store }),
    new VersionWriter({ run, completeListing: () => watch.completeListing })
  ]
}

/** The options as the run's row shows them: nothing secret, and nothing that is not data. */
function shownOptions(options: SyncOptions): Record<string, unknown> {
  const { catalog, store, dispatcher, headers, authorization, origins, signal, stages, ...shown } = options
  return shown
}

/** Stands for every option that decides which packages a project has. */
function optionsKey(options: SyncOptions, index: URL, source: string, policy: string): string {
  const { prereleases, packageTypes, keepLatest, excludePlatforms, python, uploadedBefore, maxFileSize } =
    options
  const { includes, excludes } = options
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
