import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { packagesCommand } from '../../../bin/commands/packages.js'
import { serveCommand } from '../../../bin/commands/serve.js'
import { syncCommand } from '../../../bin/commands/sync.js'
import { lineOf, statusOf } from '../../../bin/exit.js'

/** Runs a command that fails; gives its status and what it says. */
async function fail(args: readonly string[]): Promise<{ status: number; lines: string[] }> {
  let said = ''
  const output = {
    writeErr(text: string) {
      said += text
    }
  }
  const program = new Command('millrace').exitOverride().configureOutput(output)
  for (const command of [syncCommand(), serveCommand(), packagesCommand()]) {
    program.addCommand(command.exitOverride().configureOutput(output))
  }
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (said === '') said = lineOf(error)
    return { status: statusOf(error), lines: said.split('\n').filter(Boolean) }
  }
  return { status: 0, lines: [] }
}

t.test('bad usage is one clear line, and status 2', async t => {
  const cwd = t.testdir({
    'bad.toml': 'mirror = "yes"',
    'broken.toml': 'a = ',
    'unknown.toml': 'colour = "green"',
    'value.toml': 'concurrency = 0',
    'queue.toml': 'queue = "redis://x/"',
    'date.toml': 'uploaded-before = 2024-05-31',
    'bad.txt': 'a\nb c\n',
    'empty.txt': '# nothing\n'
  })
  const cases: readonly (readonly [args: string, ...parts: (string | RegExp)[]])[] = [
    ['sync --nope', "unknown option '--nope'"],
    ['sync --concurrency 0', '--concurrency', "'0'", 'whole number of 1 or more'],
    ['sync --concurrency 1e3', '--concurrency', "'1e3'"],
    ['sync --max-removals 2', '--max-removals', "'2'", 'from 0 to 1'],
    ['sync --policy later', '--policy', "'later'", 'immediate'],
    ['sync --source xml', '--source', "'xml'", 'simple'],
    ['sync --progress loud', '--progress', "'loud'", 'auto'],
    ['sync --index-url nope', 'indexUrl', 'nope', 'ERR_MILLRACE_OPTION'],
    ['sync --uploaded-before soon', 'uploadedBefore', 'soon'],
    ['sync --max-file-size much', 'maxFileSize', 'much'],
    ['sync --exclude-platform beos', 'excludePlatforms', 'beos'],
    ['sync a==1==2', 'a==1==2', 'ERR_MILLRACE_REQUIREMENT'],
    [`sync --requirements ${cwd}/bad.txt`, 'bad.txt:2', 'b c'],
    [`sync --requirements ${cwd}/empty.txt`, '--requirements', 'empty.txt', 'a file that names a project'],
    [`sync --requirements ${cwd}/nowhere.txt`, 'nowhere.txt'],
    [`sync --config ${cwd}/nowhere.toml`, '--config', 'nowhere.toml'],
    [`sync --config ${cwd}/broken.toml`, '--config', 'broken.toml'],
    [`sync --config ${cwd}/unknown.toml`, '--config', 'unknown.toml', 'colour'],
    [`sync --config ${cwd}/bad.toml`, '--mirror', 'bad.toml', 'true or false'],
    [`sync --config ${cwd}/value.toml`, '--concurrency', 'value.toml', 'whole number'],
    [`sync --config ${cwd}/date.toml`, '--uploaded-before', 'date.toml'],
    ['sync --cluster --dry-run --catalog postgres://127.0.0.1:1/x', 'dryRun', 'left out with a cluster'],
    ['sync --shards 4', 'The option --shards must be given with --cluster'],
    [`sync --config ${cwd}/queue.toml`, '--queue', '--cluster'],
    ['serve --queue redis://x/', '--queue', '--queue-board'],
    ['packages --at -1', '--at'],
    ['packages extra', 'too many arguments']
  ]
  for (const [args, ...parts] of cases) {
    const words = args.split(' ')
    if (words[0] === 'sync' && !args.includes('--catalog')) words.push('--catalog', `${cwd}/catalog.db`)
    const { status, lines } = await fail(words)
    t.equal(status, 2, args)
    t.equal(lines.length, 1, lines.join(' | '))
    for (const part of parts) t.match(lines[0], part)
  }
  t.notOk(existsSync(join(cwd, 'catalog.db')), 'nothing was opened')
})

t.test('what cannot be opened is status 1', async t => {
  const cwd = t.testdir({ 'other.db': 'no database at all, but long enough to look at' })
  const missing = await fail(['packages', '--catalog', `${cwd}/nowhere.db`])
  t.equal(missing.status, 1)
  t.match(missing.lines, [/nowhere\.db.*does not exist.*ERR_MILLRACE_CATALOG/])
  const other = await fail(['sync', 'a', '--catalog', `${cwd}/other.db`])
  t.equal(other.status, 1)
  t.match(other.lines, [/other\.db.*ERR_MILLRACE_CATALOG/])
  const folder = await fail(['sync', 'a', '--catalog', `${cwd}/no/folder.db`])
  t.equal(folder.status, 1)
  t.match(folder.lines, [/no\/folder\.db.*folder is not there.*ERR_MILLRACE_CATALOG/])
  const server = await fail(['sync', 'a', '--catalog', 'postgres://me:secret@127.0.0.1:1/x'])
  t.equal(server.status, 1)
  t.match(server.lines, [/^(?!.*secret).*127\.0\.0\.1:1.*ERR_MILLRACE_CATALOG/])
})
