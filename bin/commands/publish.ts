/**
 * `millrace publish DIR`: the index as plain files.
 */
import { type Command, Option } from 'commander'
import type { LinkKind } from '../../lib/publish/place-files.js'
import { type PublishReport, publish } from '../../lib/publish/publish.js'
import { applyConfig } from '../config.js'
import { catalogCommand, wholeNumber } from '../options.js'
import { writeLine } from '../output.js'

interface PublishFlags {
  readonly catalog: string
  readonly store: string
  readonly repository: string
  readonly at?: number
  readonly link: LinkKind
  readonly full?: boolean
  readonly json?: boolean
}

export function publishCommand(): Command {
  return catalogCommand('publish')
    .description(
      'Write the index as plain files, for nginx, a bucket or file://, and switch over to them at once.'
    )
    .argument('<dir>', 'folder to publish to')
    .addOption(
      new Option('--store <location>', 'where the files lie: a folder, or s3://BUCKET/PREFIX').default(
        'millrace-store'
      )
    )
    .addOption(new Option('--at <version>', 'this version; else the newest').argParser(wholeNumber(0)))
    .addOption(
      new Option('--link <kind>', 'how files come from the store')
        .choices(['hard', 'symbolic', 'copy'])
        .default('hard')
    )
    .option('--full', 'write all pages, not only those that changed since the last time')
    .action(async (directory: string, _flags, command: Command) => {
      applyConfig(command)
      await run(directory, command.opts<PublishFlags>())
    })
}

async function run(directory: string, { at, json, ...options }: PublishFlags): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    const report = await publish({ ...options, directory, version: at, signal: stop.signal })
    await writeLine(json ? JSON.stringify(report) : summary(directory, report))
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function summary(
  directory: string,
  { repository, version, changed, projects, files, durationMs }: PublishReport
): string {
  if (!changed) return `${directory} has version ${version} of ${repository} already`
  return [
    `${directory} has version ${version} of ${repository} now`,
    `projects: ${projects.written} written, ${projects.kept} as before`,
    `files: ${files.placed} placed, ${files.removed} removed; of those written, ${files.upstream} are linked to upstream`,
    `${(durationMs / 1000).toFixed(1)} s`
  ].join('\n')
}
