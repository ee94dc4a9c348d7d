/**
 * The options of a sync, and the lists of stages that they make.
 */
import type { Duplex, Readable, Writable } from 'node:stream'
import { age } from '../lib/age.js'
import type { Catalog } from '../lib/catalog/catalog.js'
import type { Due } from '../lib/catalog/due.js'
import type { KnownPackage, KnownProject } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import type { FilterOptions } from '../lib/filter/index.js'
import { isPrivateHost } from '../lib/http/address.js'
import { finite, integer } from '../lib/options.js'
import type { ListedProject } from '../lib/pypi/listing.js'
import type { Report } from '../lib/report.js'
import type { Store } from '../lib/store/store.js'
import { CatalogLookup } from './catalog-lookup.js'
import { Downloader, type DownloaderOptions } from './downloader.js'
import { MetadataParser } from './metadata-parser.js'
import { PackageFilter } from './package-filter.js'
import { PackageSaver } from './package-saver.js'
import { ProjectLookup } from './project-lookup.js'
import { ProjectSource } from './project-source.js'
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
  | 'headersTimeout'
  | 'bodyTimeout'
  | 'deadlineMs'
  | 'minBytesPerSecond'
  | 'origins'
  | 'allowPrivate'
>

export interface SyncOptions extends FilterOptions, RequestOptions {
  /** The index. @defaultValue `https://pypi.org/simple/` */
  readonly indexUrl?: string | URL | undefined
  /** Documents to read: `simple`, PEP 691 JSON or PEP 503 HTML; `json`, `/pypi/NAME/json`. @defaultValue `simple` */
  readonly source?: 'simple' | 'json' | undefined
  /**
   * A catalog that the caller opened and will close, or where it lies: a SQLite file, or `postgres://…`.
   * @defaultValue `millrace.db`
   */
  readonly catalog?: Catalog | string | undefined
  /** Where files go: a store, the folder of one, or `s3://BUCKET/PREFIX`. @defaultValue `millrace-store` */
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
  /**
   * Largest share of the repository's packages, from 0 to 1, that a mirror removes because their projects are gone from
   * the index. If more are, the listing was probably cut short: the run removes nothing, and that is a failure with
   * the code `ERR_MILLRACE_REMOVALS`. Up to five projects may always go, if any others are left. @defaultValue 0.1
   */
  readonly maxRemovals?: number | undefined
  /**
   * How old the last whole reading of a project may be: an age such as `30d`, after which its document is fetched
   * whatever its serial and validators say, or `never`. By its id a project's turn comes between half that age and all
   * of it. @defaultValue `30d`: a project of pypi.org is known that lost a file while its serial stood still
   */
  readonly fullCheck?: string | undefined
  /**
   * Versions of the repository to keep. Older ones are forgotten when the sync is done, and with them the files that no
   * version needs. Whole number of 1 or more. @defaultValue all
   */
  readonly keepVersions?: number | undefined
  /** Documents in flight; `auto` finds out how many are worth it. @defaultValue 32 */
  readonly concurrency?: number | 'auto' | undefined
  /** Files in flight, likewise. @defaultValue 16 */
  readonly downloadConcurrency?: number | 'auto' | undefined
  /** Say in the report's `plan` what would come in, and change nothing. @defaultValue false */
  readonly dryRun?: boolean | undefined
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

/** Packages between two stages: they come by the document, and a stage that waits for the next one does nothing. */
const BUFFERED = 256

/** A batch is one statement. Larger ones measured no faster, and 2,400 took 50 MB more. */
const BATCHES = { batchSize: 720, highWaterMark: BUFFERED }

/** In flight, unless the options say otherwise. */
const DOCUMENTS = 32
const FILES = 16

/** The source: of what the index lists and a run begins with, or of what another process had listed. */
export function sourceStage(
  options: SyncOptions,
  index: URL,
  {
    due,
    listed
  }: { readonly due?: Due | undefined; readonly listed?: readonly ListedProject[] | undefined } = {}
): ProjectSource {
  const { source, includes, excludes } = options
  return new ProjectSource({
    ...{ ...requestOptions(options, index), indexUrl: index, source, includes, excludes, listed },
    first: due?.first.map(({ name }) => name),
    listing: due?.listing
  })
}

/** The stages from there up to the packages that the filters left; a sync has a run; a dry run has none. */
export function packageStages(options: SyncOptions, index: URL, run?: Run): readonly Stage[] {
  const { concurrency = DOCUMENTS } = options
  const requests = requestOptions(options, index)
  return [
    ...(run === undefined ? [] : [new ProjectLookup({ run })]),
    new Downloader<KnownProject>({ ...requests, concurrency }),
    new MetadataParser({ highWaterMark: BUFFERED }),
    new PackageFilter({ ...options, highWaterMark: BUFFERED })
  ]
}

/** The stages that save packages. With `store`, their files are downloaded into it. */
export function savingStages(
  options: SyncOptions,
  index: URL,
  run: Run,
  store: Store | undefined
): readonly Stage[] {
  const files = store && [
    new Downloader<KnownPackage>({
      ...requestOptions(options, index),
      concurrency: options.downloadConcurrency ?? FILES,
      needed: ({ stored }) => stored === undefined,
      digest: 'sha256',
      directory: store.temporaryDirectory
    })
  ]
  return [
    new CatalogLookup({ run, ...BATCHES }),
    ...(files ?? []),
    new PackageSaver({ run, store, ...(files === undefined ? BATCHES : {}) })
  ]
}

/** The stage that makes the version. */
export function versionStage(
  { maxRemovals, strict }: SyncOptions,
  run: Run,
  completeListing: () => boolean
): Stage {
  return new VersionWriter({ run, highWaterMark: BUFFERED, completeListing, maxRemovals, strict })
}

/** Checks what the stages would refuse once the catalog is open. @throws {@link OptionError} */
export function checkStageOptions(options: SyncOptions, index: URL): void {
  const { concurrency = DOCUMENTS, downloadConcurrency = FILES, maxRemovals = 0, keepVersions = 1 } = options
  if (concurrency !== 'auto') integer('concurrency', concurrency, 1)
  if (downloadConcurrency !== 'auto') integer('downloadConcurrency', downloadConcurrency, 1)
  finite('maxRemovals', maxRemovals, 0, 1)
  integer('keepVersions', keepVersions, 1)
  fullCheckMs(options)
  sourceStage(options, index)
  // Nobody will listen to these stages, so no signal may end them.
  packageStages({ ...options, signal: undefined }, index)
}

/** How old the last whole reading of a project may be, in ms; `undefined` for any age. @throws {@link OptionError} */
export function fullCheckMs({ fullCheck = '30d' }: SyncOptions): number | undefined {
  return fullCheck === 'never' ? undefined : age('fullCheck', fullCheck)
}

function requestOptions(options: SyncOptions, index: URL) {
  const { dispatcher, headers, authorization, maxRetries, minTimeout, maxTimeout, origins } = options
  const { headersTimeout, bodyTimeout, deadlineMs, minBytesPerSecond } = options
  const { allowPrivate = isPrivateHost(index.hostname) } = options
  return {
    ...{ dispatcher, headers, authorization, maxRetries, minTimeout, maxTimeout, origins, allowPrivate },
    ...{ headersTimeout, bodyTimeout, deadlineMs, minBytesPerSecond }
  }
}
