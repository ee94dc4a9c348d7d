/**
 * `millrace runs`: what each sync of a repository did.
 */
import { type Command, Option } from 'commander'
import prettyBytes from 'pretty-bytes'
import { Catalog } from '../../lib/catalog/catalog.js'
import { applyConfig } from '../config.js'
import { catalogCommand, wholeNumber } from '../options.js'
import { writeLine } from '../output.js'
import { columns } from '../table.js'

interface RunsFlags {
  readonly catalog: string
  readonly repository: string
  readonly json?: boolean
  readonly limit: number
  readonly failures?: number
}

export function runsCommand(): Command {
  return catalogCommand('runs')
    .description(
      'List the runs of a repository, newest first: state, figures, duration; with --json one object a line.'
    )
    .addOption(new Option('--limit <n>', 'show so many').default(20).argParser(wholeNumber(1)))
    .addOption(new Option('--failures <run>', 'show what this run could not have').argParser(wholeNumber(1)))
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      await list(command.opts<RunsFlags>())
    })
}

async function list({ catalog: location, repository, json, limit, failures }: RunsFlags): Promise<void> {
  const catalog = await Catalog.open(location, { create: false })
  try {
    if (failures !== undefined) {
      for (const failure of await catalog.failures(repository, failures)) {
        const { code, project, filename, message } = failure
        await writeLine(
          json
            ? JSON.stringify(failure)
            : `${[project, filename].filter(Boolean).join(' ')}: ${message} [${code}]`
        )
      }
      return
    }
    const runs = await catalog.runs(repository, limit)
    if (json) {
      for (const run of runs) await writeLine(JSON.stringify(run))
      return
    }
    const rows = runs.map(({ id, startedAt, state, version, durationMs, report }) => [
      String(id),
      startedAt,
      state,
      version === undefined ? '' : String(version),
      durationMs === undefined ? '' : `${(durationMs / 1000).toFixed(1)} s`,
      report === undefined ? '' : `+${report.packages.added} -${report.packages.removed}`,
      report === undefined ? '' : prettyBytes(report.files.bytes),
      report === undefined ? '' : String(report.failures)
    ])
    const head = ['run', 'started', 'state', 'version', 'took', 'packages', 'files', 'failed']
    for (const line of columns([head, ...rows], new Set([0, 3, 4, 5, 6, 7]))) await writeLine(line)
  } finally {
    await catalog.close()
  }
}
