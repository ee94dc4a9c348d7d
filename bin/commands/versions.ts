/**
 * `millrace versions`: the versions of a repository.
 */
import type { Command } from 'commander'
import { Catalog } from '../../lib/catalog/catalog.js'
import { applyConfig } from '../config.js'
import { catalogCommand } from '../options.js'
import { columns } from '../table.js'

interface VersionsFlags {
  readonly catalog: string
  readonly repository: string
  readonly json?: boolean
}

export function versionsCommand(): Command {
  return catalogCommand('versions')
    .description('List the versions of a repository, oldest first; with --json as one array.')
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      await list(command.opts<VersionsFlags>())
    })
}

async function list({ catalog: location, repository, json }: VersionsFlags): Promise<void> {
  const catalog = await Catalog.open(location, { create: false })
  try {
    const versions = await catalog.versions(repository)
    if (json) {
      process.stdout.write(`${JSON.stringify(versions)}\n`)
      return
    }
    const rows = versions.map(({ number, createdAt, added, removed, present }) =>
      [number, createdAt, `+${added}`, `-${removed}`, present].map(String)
    )
    const lines = columns(
      [['version', 'created', 'added', 'removed', 'present'], ...rows],
      new Set([0, 2, 3, 4])
    )
    process.stdout.write(`${lines.join('\n')}\n`)
  } finally {
    await catalog.close()
  }
}
