/**
 * `millrace packages`: what a repository holds.
 */
import { type Command, Option } from 'commander'
import { Catalog } from '../../lib/catalog/catalog.js'
import { normalizeName } from '../../lib/pypi/name.js'
import { applyConfig } from '../config.js'
import { catalogCommand, wholeNumber } from '../options.js'
import { writeLine } from '../output.js'

interface PackagesFlags {
  readonly catalog: string
  readonly repository: string
  readonly json?: boolean
  readonly at?: number
  readonly project?: string
}

export function packagesCommand(): Command {
  return catalogCommand('packages')
    .description('List the packages of a repository: one a line, with --json one object a line.')
    .addOption(new Option('--at <version>', 'of this version; else of the newest').argParser(wholeNumber(0)))
    .option('--project <name>', 'of this project only')
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      await list(command.opts<PackagesFlags>())
    })
}

async function list({
  catalog: location,
  repository,
  json,
  at: version,
  project
}: PackagesFlags): Promise<void> {
  const catalog = await Catalog.open(location, { create: false })
  try {
    const wanted = project === undefined ? undefined : normalizeName(project)
    for await (const pkg of catalog.packages(repository, { version, project: wanted })) {
      const line = json
        ? JSON.stringify(pkg)
        : `${pkg.project}\t${pkg.version ?? ''}\t${pkg.filename}\t${pkg.file ?? ''}`
      await writeLine(line)
    }
  } finally {
    await catalog.close()
  }
}
