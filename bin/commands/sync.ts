/**
 * `millrace sync`: brings a repository up to date with an index.
 */
import { type Command, Option } from 'commander'
import prettyBytes from 'pretty-bytes'
import { BusyError } from '../../lib/errors.js'
import { readRequirementsFile } from '../../lib/pypi/requirements-file.js'
import type { Report } from '../../lib/report.js'
import { type SyncOptions, sync } from '../../streams/index.js'
import { applyConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { catalogCommand, collect, wholeNumber } from '../options.js'
import { PROGRESS_KINDS, type Progress, showProgress } from '../progress.js'

interface SyncFlags {
  readonly catalog: string
  readonly store: string
  readonly repository: string
  readonly indexUrl: string
  readonly source: 'simple' | 'json'
  readonly policy: 'on-demand' | 'immediate' | 'streamed'
  readonly mirror?: boolean
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
  readonly concurrency: number
  readonly downloadConcurrency: number
  readonly maxRetries: number
  readonly dryRun?: boolean
  readonly strict?: boolean
  readonly json?: boolean
  readonly progress: (typeof PROGRESS_KINDS)[number]
}

export function syncCommand(): Command {
  return catalogCommand('sync')
    .description('Bring a repository up to date with an index: all of it, or what the requirements name.')
    .argument('[requirement...]', 'projects, as pip takes them: numpy "scipy>=1.10"; the same as --include')
    .addOption(new Option('--index-url <url>', 'index to read').default('https://pypi.org/simple/'))
    .addOption(
      new Option('--source <kind>', 'documents to read: the simple API or /pypi/NAME/json')
        .choices(['simple', 'json'])
        .default('simple')
    )
    .addOption(new Option('--store <dir>', 'folder for the files').default('millrace-store'))
    .addOption(
      new Option('--policy <policy>', 'on-demand: files at their first request; immediate: now; streamed: never kept')
        .choices(['on-demand', 'immediate', 'streamed'])
        .default('on-demand')
    )
    .option('--mirror', 'also remove what the index no longer has')
    .option('--include <requirement>', 'project to sync (repeatable)', collect)
    .option('--exclude <requirement>', 'project or versions to leave out; wins over --include (repeatable)', collect)
    .option('--requirements <file>', 'requirements file with projects to sync (repeatable)', collect)
    .option('--prereleases', 'keep pre-releases')
    .option('--package-type <type>', 'keep files of this type only: sdist, bdist_wheel, … (repeatable)', collect)
    .addOption(new Option('--keep-latest <n>', 'keep the newest N versions of a project').argParser(wholeNumber(0)))
    .option('--exclude-platform <name>', 'leave out wheels for windows, macos, linux or freebsd (repeatable)', collect)
    .option('--python <version>', 'keep what this Python can install, such as 3.12')
    .option('--uploaded-before <when>', 'keep what was uploaded before a date, or is older than an age such as 7d')
    .option('--max-file-size <size>', 'keep files up to this size, such as 100MB')
    .addOption(new Option('--concurrency <n>', 'documents in flight').default(32).argParser(wholeNumber(1)))
    .addOption(new Option('--download-concurrency <n>', 'files in flight').default(16).argParser(wholeNumber(1)))
    .addOption(new Option('--max-retries <n>', 'requests after a failed one').default(3).argParser(wholeNumber(0)))
    .option('--dry-run', 'say what would come in, and change nothing')
    .option('--strict', 'fail at the first project or file that cannot be had')
    .addOption(
      new Option('--progress <kind>', 'on stderr: bar on a terminal, log elsewhere').choices(PROGRESS_KINDS).default('auto')
    )
    .action(async (requirements: string[], _flags, command: Command) => {
      applyConfig(command)
      await run(requirements, command.opts<SyncFlags>())
    })
}

async function run(requirements: readonly string[], flags: SyncFlags): Promise<void> {
  const includes = [...requirements, ...(flags.include ?? [])]
  const excludes = [...(flags.exclude ?? [])]
  void excludes
  const interrupt = new AbortController()
  const onSignal = () => {
    process.stderr.write('millrace: stopping; once more to stop at once\n')
    process.once('SIGINT', () => process.exit(EXIT.interrupted))
    interrupt.abort()
  }
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  let progress: Progress | undefined
  void progress
  void includes
}
