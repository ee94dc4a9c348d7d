/**
 * `millrace rollback N`: makes a new version with the content of an older one.
 */
import { Argument, type Command } from 'commander'
import { Catalog } from '../../lib/catalog/catalog.js'
import { applyConfig } from '../config.js'
import { catalogCommand, wholeNumber } from '../options.js'
import { writeLine } from '../output.js'

interface RollbackFlags {
  readonly catalog: string
  readonly repository: string
  readonly json?: boolean
}

export function rollbackCommand(): Command {
  return catalogCommand('rollback')
    .description(
      'Make a new version of the repository with the content of version N. The next sync goes on from there.'
    )
    .addArgument(new Argument('<n>', 'a version; 0 is empty').argParser(wholeNumber(0)))
    .action(async (target: number, _flags, command: Command) => {
      applyConfig(command)
      const { catalog: location, repository, json } = command.opts<RollbackFlags>()
      const catalog = await Catalog.open(location, { create: false })
      try {
        const result = await catalog.rollback(repository, target)
        const { version, changed, added, removed, present } = result
        await writeLine(
          json
            ? JSON.stringify(result)
            : changed
              ? `version ${version} has the content of version ${target}: ${added} added, ${removed} removed, ${present} present`
              : `version ${version} has that content already`
        )
      } finally {
        await catalog.close()
      }
    })
}
