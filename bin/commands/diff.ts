/**
 * `millrace diff A B`: what a version of a repository has otherwise than another.
 */
import { Argument, type Command } from 'commander'
import { Catalog } from '../../lib/catalog/catalog.js'
import { applyConfig } from '../config.js'
import { catalogCommand, wholeNumber } from '../options.js'
import { writeLine } from '../output.js'

interface DiffFlags {
  readonly catalog: string
  readonly repository: string
  readonly json?: boolean
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

export function diffCommand(): Command {
  return catalogCommand('diff')
    .description(
      'Show what version B has otherwise than version A, by project; with --json one object a line.'
    )
    .addArgument(new Argument('<a>', 'a version; 0 is empty').argParser(wholeNumber(0)))
    .addArgument(new Argument('<b>', 'another').argParser(wholeNumber(0)))
    .action(async (a: number, b: number, _flags, command: Command) => {
      applyConfig(command)
      await show(a, b, command.opts<DiffFlags>())
    })
}

async function show(a: number, b: number, { catalog: location, repository, json }: DiffFlags): Promise<void> {
  const catalog = await Catalog.open(location, { create: false })
  try {
    const counts = { added: 0, removed: 0, changed: 0 }
    let last: string | undefined
    for await (const change of catalog.changes(repository, a, b)) {
      counts[change.change]++
      if (json) {
        await writeLine(JSON.stringify(change))
        continue
      }
      if (change.project !== last) await writeLine(change.project)
      last = change.project
      await writeLine(`  ${SIGNS[change.change]} ${change.filename}${differences(change)}`)
    }
    if (!json) await writeLine(`${counts.added} added, ${counts.removed} removed, ${counts.changed} changed`)
  } finally {
    await catalog.close()
  }
}

/** The fields in which two states of a file differ. */
function differences({ before, after }: { before: object | undefined; after: object | undefined }): string {
  if (before === undefined || after === undefined) return ''
  const [old, now] = [before, after].map(state => new Map(Object.entries(state)))
  const names = [...(now?.keys() ?? [])].filter(
    name =>
      name !== 'added' && name !== 'file' && JSON.stringify(old?.get(name)) !== JSON.stringify(now?.get(name))
  )
  return ` (${names.join(', ')})`
}
