/**
 * `millrace sync`: brings a repository up to date with an index.
 */
import { type Command, Option } from 'commander'
import prettyBytes from 'pretty-bytes'
import { OptionError } from '../../lib/errors.js'
import type { Project } from '../../lib/pypi/package.js'
import type { Requirement } from '../../lib/pypi/requirement.js'
import { readRequirementsFile } from '../../lib/pypi/requirements-file.js'
import type { Plan, Report } from '../../lib/report.js'
import {
  clusterSync,
  Downloader,
  PackageSaver,
  type Stage,
  type SyncOptions,
  sync
} from '../../streams/index.js'
import { isMissing } from '../../streams/sync-watch.js'
import { applyConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { addNetworkOptions, type NetworkFlags, network } from '../network.js'
import {
  catalogCommand,
  collect,
  concurrencyOf,
  onlyWith,
  positive,
  queueOption,
  share,
  wholeNumber
} from '../options.js'
import { PROGRESS_KINDS, type Shown, showCluster, showProgress } from '../progress.js'
import { columns } from '../table.js'

interface SyncFlags extends NetworkFlags {
  readonly catalog: string
  readonly store: string
  readonly repository: string
  readonly source: 'simple' | 'json'
  readonly policy: 'on-demand' | 'immediate' | 'streamed'
  readonly mirror?: boolean
  readonly maxRemovals?: number
  readonly fullCheck: string
  readonly keepVersions?: number
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly requirements?: readonly string[]
  readonly prereleases?: boolean
  readonly packageType?: SyncOptions['packageTypes']
  readonly keepLatest?: number
  readonly excludePlatform?: SyncOptions['excludePlatforms']
  readonly python?: string
  readonly uploadedBefore?: string
  readonly maxFileSize?: string
  readonly concurrency: number | 'auto'
  readonly downloadConcurrency: number | 'auto'
  readonly concurrencyPerOrigin?: number
  readonly requestsPerSecond?: number
  readonly maxRetries: number
  readonly cluster?: boolean
  readonly shards: number
  readonly queue?: string
  readonly dryRun?: boolean
  readonly strict?: boolean
  readonly json?: boolean
  readonly progress: (typeof PROGRESS_KINDS)[number]
}

export function syncCommand(): Command {
  return addNetworkOptions(catalogCommand('sync'))
    .description('Bring a repository up to date with an index: all of it, or what the requirements name.')
    .argument('[requirement...]', 'projects, as pip takes them: numpy "scipy>=1.10"; the same as --include')
    .addOption(new Option('--index-url <url>', 'index to read').default('https://pypi.org/simple/'))
    .addOption(
      new Option('--source <kind>', 'documents to read: the simple API or /pypi/NAME/json')
        .choices(['simple', 'json'])
        .default('simple')
    )
    .addOption(
      new Option('--store <location>', 'where files go: a folder, or s3://BUCKET/PREFIX').default(
        'millrace-store'
      )
    )
    .addOption(
      new Option(
        '--policy <policy>',
        'on-demand: files at their first request; immediate: now; streamed: never kept'
      )
        .choices(['on-demand', 'immediate', 'streamed'])
        .default('on-demand')
    )
    .option('--mirror', 'also remove what the index no longer has')
    .addOption(
      new Option(
        '--max-removals <share>',
        'largest share of the packages that --mirror removes because their projects are gone (default: 0.1)'
      ).argParser(share)
    )
    .addOption(
      new Option(
        '--full-check <age>',
        'read a project whole again after so long, whatever the index says; or never'
      ).default('30d')
    )
    .addOption(
      new Option('--keep-versions <n>', 'forget older versions, and files that none needs').argParser(
        wholeNumber(1)
      )
    )
    .option('--include <requirement>', 'project to sync (repeatable)', collect)
    .option(
      '--exclude <requirement>',
      'project or versions to leave out; wins over --include (repeatable)',
      collect
    )
    .option('--requirements <file>', 'requirements file with projects to sync (repeatable)', collect)
    .option('--prereleases', 'keep pre-releases')
    .option(
      '--package-type <type>',
      'keep files of this type only: sdist, bdist_wheel, … (repeatable)',
      collect
    )
    .addOption(
      new Option('--keep-latest <n>', 'keep the newest N versions of a project').argParser(wholeNumber(0))
    )
    .option(
      '--exclude-platform <name>',
      'leave out wheels for windows, macos, linux or freebsd (repeatable)',
      collect
    )
    .option('--python <version>', 'keep what this Python can install, such as 3.12')
    .option(
      '--uploaded-before <when>',
      'keep what was uploaded before a date, or is older than an age such as 7d'
    )
    .option('--max-file-size <size>', 'keep files up to this size, such as 100MB')
    .addOption(
      new Option('--concurrency <n>', 'documents in flight, or auto').default(32).argParser(concurrencyOf)
    )
    .addOption(
      new Option('--download-concurrency <n>', 'files in flight, or auto')
        .default(16)
        .argParser(concurrencyOf)
    )
    .addOption(
      new Option('--concurrency-per-origin <n>', 'requests in flight to one host').argParser(wholeNumber(1))
    )
    .addOption(
      new Option('--requests-per-second <n>', 'requests started a second to one host').argParser(positive)
    )
    .addOption(
      new Option('--max-retries <n>', 'requests after a failed one').default(3).argParser(wholeNumber(0))
    )
    .option(
      '--cluster',
      'have it done by `millrace worker` on any machines; the catalog is a postgres:// one'
    )
    .addOption(
      new Option('--shards <n>', 'with --cluster: parts that the projects are dealt out to')
        .default(64)
        .argParser(wholeNumber(1))
    )
    .addOption(queueOption())
    .option('--dry-run', 'say what would come in, and change nothing')
    .option('--strict', 'fail at the first project or file that cannot be had')
    .addOption(
      new Option('--progress <kind>', 'on stderr: bar on a terminal, log elsewhere')
        .choices(PROGRESS_KINDS)
        .default('auto')
    )
    .action(async (requirements: string[], _flags, command: Command) => {
      applyConfig(command)
      for (const name of ['shards', 'queue']) onlyWith(command, 'cluster', name)
      await run(requirements, command.opts<SyncFlags>())
    })
}

async function run(named: readonly string[], flags: SyncFlags): Promise<void> {
  const includes = [...named, ...(flags.include ?? [])]
  const fromFiles = await requirementsOf(flags.requirements ?? [])
  const { dispatcher, authorization } = network(flags)
  const interrupt = new AbortController()
  const stop = () => {
    process.stderr.write('millrace: stopping; once more to stop at once\n')
    process.once('SIGINT', () => process.exit(EXIT.interrupted))
    interrupt.abort()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  let progress: Shown | undefined
  let saver: PackageSaver | undefined
  try {
    const options = {
      ...choices(flags),
      ...{ dispatcher, authorization, includes: [...includes, ...fromFiles], signal: interrupt.signal }
    }
    let report: Report
    if (flags.cluster) {
      const shown = showCluster(flags.progress, process.stderr)
      progress = shown
      const { catalog, queue, shards } = flags
      report = await clusterSync({ ...options, catalog, queue, shards, onProgress: shown.update })
    } else {
      report = await sync({
        ...options,
        stages(stages, running) {
          progress = showProgress(flags.progress, stages, running, process.stderr)
          saver = stages.find(stage => stage instanceof PackageSaver)
          tellMissing(stages)
          return stages
        }
      })
    }
    progress?.stop()
    tellFailures(report)
    const text = report.plan === undefined ? summary(report) : planned(report, report.plan)
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${text}\n`)
    process.exitCode = report.failures.length > 0 ? EXIT.incomplete : EXIT.done
  } catch (error) {
    progress?.stop()
    if (!interrupt.signal.aborted) throw error
    const kept = flags.cluster
      ? 'what workers saved waits'
      : `${saver?.saved ?? 0} packages are saved and wait`
    process.stderr.write(`millrace: interrupted; the repository is as it was, ${kept} for the next run\n`)
    process.exitCode = EXIT.interrupted
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    await dispatcher.close()
  }
}

/** The options of `sync()` that the command line gives as they are. */
function choices(flags: SyncFlags) {
  const { catalog, store, repository, indexUrl, source, policy, mirror, prereleases, keepLatest, python } =
    flags
  const { uploadedBefore, maxFileSize, concurrency, downloadConcurrency, maxRetries, strict, dryRun } = flags
  const { maxRemovals, fullCheck, keepVersions, concurrencyPerOrigin, requestsPerSecond } = flags
  return {
    ...{ catalog, store, repository, indexUrl, source, policy, mirror, prereleases, keepLatest, python },
    ...{ uploadedBefore, maxFileSize, concurrency, downloadConcurrency, maxRetries, strict, dryRun },
    ...{ maxRemovals, fullCheck, keepVersions },
    origins: { concurrencyPerOrigin, requestsPerSecond },
    excludes: flags.exclude,
    packageTypes: flags.packageType,
    excludePlatforms: flags.excludePlatform
  } satisfies SyncOptions
}

/** Projects of requirements files; what no index serves, and options, are said and left. */
async function requirementsOf(files: readonly string[]): Promise<readonly Requirement[]> {
  const all: Requirement[] = []
  for (const file of files) {
    const { requirements, ignored, options } = await readRequirementsFile(file)
    all.push(...requirements)
    for (const { where, text, why } of ignored)
      process.stderr.write(`millrace: ${where}: left out ${text}: ${why}\n`)
    for (const { where, name } of options) {
      process.stderr.write(`millrace: ${where}: ${name} is not obeyed; give it on the command line\n`)
    }
  }
  // No includes are no wish for nothing, but for the whole index.
  if (files.length > 0 && all.length === 0) {
    throw new OptionError('--requirements', 'a file that names a project', files.join(', '))
  }
  return all
}

/** A project that is not there is no failure, but people want to know of it. */
function tellMissing(stages: readonly Stage[]): void {
  const documents = stages.find(stage => stage instanceof Downloader)
  documents?.on('skip', (project: Project, error: Error) => {
    if (isMissing(error)) process.stderr.write(`millrace: ${project.name} is not on the index\n`)
  })
}

/** Failures told on stderr; all of them are in the JSON report and in the catalog. */
const FAILURES_TOLD = 20

function tellFailures({ failures }: Report): void {
  for (const { code, project, filename, message } of failures.slice(0, FAILURES_TOLD)) {
    process.stderr.write(
      `${['millrace', [project, filename].filter(Boolean).join(' '), message].filter(Boolean).join(': ')} [${code}]\n`
    )
  }
  const more = failures.length - FAILURES_TOLD
  if (more > 0) process.stderr.write(`millrace: and ${more} more, which --json lists\n`)
}

/** Projects shown of a dry run; all of them are in the JSON report. */
const PROJECTS_TOLD = 50

/** What would come in, the most bytes first, and what took the rest out. */
function planned({ packages, projects: counts }: Report, { projects, dropped }: Plan): string {
  const bytes = projects.reduce((sum, project) => sum + project.bytes, 0)
  const largest = [...projects].sort((a, b) => b.bytes - a.bytes || b.packages - a.packages)
  const rows = largest
    .slice(0, PROJECTS_TOLD)
    .map(project => [
      project.project,
      String(project.packages),
      `${prettyBytes(project.bytes)}${project.unknownSizes > 0 ? ` + ${project.unknownSizes} of unknown size` : ''}`
    ])
  const more = projects.length - rows.length
  return [
    ...columns([['project', 'packages', 'bytes'], ...rows], new Set([1, 2])),
    ...(more > 0 ? [`and ${more} more projects, which --json lists`] : []),
    `a sync would add ${packages.added} packages of ${projects.length} projects: ${prettyBytes(bytes)}`,
    `${counts.listed} projects listed; ${packages.seen} packages seen, ${packages.kept} kept`,
    ...Object.entries(dropped).map(([filter, count]) => `${count} packages taken out by ${filter}`)
  ].join('\n')
}

function summary({ repository, version, changed, durationMs, projects, packages, files }: Report): string {
  const seconds = (durationMs / 1000).toFixed(1)
  return [
    changed
      ? `${repository} is at version ${version} now`
      : `${repository} stays at version ${version}: nothing changed`,
    `projects: ${projects.listed} listed, ${projects.fetched} fetched, ${projects.unchanged} unchanged, ${projects.missing} missing, ${projects.failed} failed`,
    `packages: ${packages.seen} seen, ${packages.kept} kept; ${packages.added} added, ${packages.removed} removed, ${packages.present} present`,
    `files: ${files.downloaded} downloaded (${prettyBytes(files.bytes)}), ${files.reused} reused, ${files.failed} failed`,
    `${seconds} s`
  ].join('\n')
}
