/**
 * `millrace verify`: checks the store against the catalog, and mends what is broken.
 */
import { type Command, Option } from 'commander'
import prettyBytes from 'pretty-bytes'
import { type Problem, type VerifyReport, verify } from '../../streams/index.js'
import { applyConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { catalogCommand, share, wholeNumber } from '../options.js'
import { writeLine } from '../output.js'
import { PROGRESS_KINDS, renew, type Shown } from '../progress.js'

interface VerifyFlags {
  readonly catalog: string
  readonly store: string
  readonly repair?: boolean
  readonly olderThan?: string
  readonly share?: number
  readonly maxRetries: number
  readonly json?: boolean
  readonly progress: (typeof PROGRESS_KINDS)[number]
}

export function verifyCommand(): Command {
  const command = catalogCommand('verify', { repository: false })
  return command
    .description(
      'Read the files of the store and compare them, and the rows of the catalog, with each other.'
    )
    .addOption(
      new Option('--store <location>', 'where the files lie: a folder, or s3://BUCKET/PREFIX').default(
        'millrace-store'
      )
    )
    .option('--repair', 'fetch again what is broken, and remove what nobody needs')
    .option('--older-than <age>', 'read only files that were not verified for so long, such as 30d')
    .addOption(
      new Option('--share <share>', 'read this share of the files, the longest unverified first').argParser(
        share
      )
    )
    .addOption(
      new Option('--max-retries <n>', 'requests after a failed one').default(3).argParser(wholeNumber(0))
    )
    .addOption(
      new Option('--progress <kind>', 'on stderr: bar on a terminal, log elsewhere')
        .choices(PROGRESS_KINDS)
        .default('auto')
    )
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      await run(command.opts<VerifyFlags>())
    })
}

async function run({ json, progress: kind, ...options }: VerifyFlags): Promise<void> {
  const interrupt = new AbortController()
  const stop = () => interrupt.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  let progress: Shown | undefined
  try {
    const report = await verify({
      ...options,
      signal: interrupt.signal,
      watch(report) {
        const line = (elapsedMs: number) => state(report, elapsedMs)
        progress = renew(kind, line, line, process.stderr)
      }
    })
    progress?.stop()
    if (json) await writeLine(JSON.stringify(report))
    else await tell(report)
    process.exitCode = report.repaired < report.found ? EXIT.incomplete : EXIT.done
  } finally {
    progress?.stop()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

async function tell({ checked, bytes, durationMs, found, repaired, problems }: VerifyReport): Promise<void> {
  for (const problem of problems) await writeLine(lineOf(problem))
  if (found > problems.length) await writeLine(`and ${found - problems.length} more`)
  await writeLine(
    `${checked} files read (${prettyBytes(bytes)}) in ${(durationMs / 1000).toFixed(1)} s: ${found} problems, ${repaired} repaired`
  )
}

function lineOf({ kind, sha256, project, filename, repaired, message }: Problem): string {
  const what = [kind, project, filename, sha256].filter(Boolean).join(' ')
  return `${what}: ${message}${repaired ? ' (repaired)' : ''}`
}

function state({ files, checked, totalBytes, bytes, found }: VerifyReport, elapsedMs: number): string {
  const perSecond = Math.round((bytes * 1000) / Math.max(1, elapsedMs))
  return `${checked} of ${files} files read · ${prettyBytes(bytes)} of ${prettyBytes(totalBytes)} · ${prettyBytes(perSecond)}/s · ${found} problems`
}
