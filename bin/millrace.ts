#!/usr/bin/env node
/**
 * The command line. Results go to stdout, everything else to stderr.
 */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { diffCommand } from './commands/diff.js'
import { packagesCommand } from './commands/packages.js'
import { publishCommand } from './commands/publish.js'
import { rollbackCommand } from './commands/rollback.js'
import { runsCommand } from './commands/runs.js'
import { serveCommand } from './commands/serve.js'
import { syncCommand } from './commands/sync.js'
import { verifyCommand } from './commands/verify.js'
import { versionsCommand } from './commands/versions.js'
import { workerCommand } from './commands/worker.js'
import { lineOf, statusOf } from './exit.js'
import { keepHeapSmall } from './heap.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

keepHeapSmall()

const program = new Command('millrace')
  .description('Carries a Python package index into a database and a file store.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(`millrace --help` and `millrace COMMAND --help` say what there is)')

for (const command of [
  syncCommand(),
  packagesCommand(),
  versionsCommand(),
  diffCommand(),
  rollbackCommand(),
  runsCommand(),
  serveCommand(),
  publishCommand(),
  verifyCommand(),
  workerCommand()
])
  program.addCommand(command)
for (const command of [program, ...program.commands]) command.exitOverride()

// A reader that has seen enough (`millrace packages | head`) is no error.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = statusOf(error)
  // Commander has already said what is wrong with the words.
  if (!(error instanceof Error) || !('exitCode' in error)) process.stderr.write(`${lineOf(error)}\n`)
}
