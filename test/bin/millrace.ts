import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import type { Report } from '../../lib/report.js'
import { sync } from '../../streams/sync.js'
import { readNames } from '../helpers/catalog.js'
import { CLI, cli, startCli } from '../helpers/cli.js'
import { indexServer } from '../helpers/index-server.js'
import { addProject } from '../helpers/sync.js'
import { mountTmpfs } from '../helpers/tmpfs.js'

// Many processes and many waits, on machines that may be busy.
t.setTimeout(600_000)

/** One line on stderr, that says so much. */
function oneLine(t: Test, lines: readonly string[], ...parts: (string | RegExp)[]): void {
  t.equal(lines.length, 1, lines.join(' | '))
  for (const part of parts) t.match(lines[0], part)
}

/** File names in the newest version of a repository. */
async function namesIn(file: string, repository = 'pypi'): Promise<string[]> {
  const catalog = await Catalog.open(file)
  try {
    return await readNames(catalog, repository)
  } finally {
    await catalog.close()
  }
}

t.test('what came in, as text and as JSON, and nothing else on stdout', async t => {
  const index = await indexServer(t, { projects: 0 })
  addProject(index, 'a', '1.0', '2.0')
  addProject(index, 'b', '1.0')
  const cwd = t.testdir()
  const first = await cli(['sync', '--index-url', index.indexUrl, '--policy', 'immediate', '--json'], cwd)
  t.equal(first.status, 0)
  t.strictSame(first.lines, [])
  t.match(first.stdout, /^[^\n]+\n$/, 'one line')
  const report = JSON.parse(first.stdout) as Report
  t.strictSame(Object.keys(report), [
    ...['repository', 'version', 'changed', 'durationMs', 'projects', 'packages', 'files', 'failures']
  ])
  t.match(report, {
    ...{ repository: 'pypi', version: 1, changed: true, failures: { length: 0 } },
    projects: { listed: 2, fetched: 2, unchanged: 0, missing: 0, failed: 0 },
    packages: { seen: 3, kept: 3, added: 3, removed: 0, present: 3 },
    files: { downloaded: 3, reused: 0, failed: 0, bytes: 36 }
  })
  t.ok(existsSync(join(cwd, 'millrace.db')))
  t.ok(existsSync(join(cwd, 'millrace-store')))

  const [again, packages, ofOne, table] = await Promise.all([
    cli(['sync', '--index-url', index.indexUrl, '--policy', 'immediate'], cwd),
    cli(['packages', '--json'], cwd),
    cli(['packages', '--project', 'A', '--at', '1'], cwd),
    cli(['versions'], cwd)
  ])
  t.match(
    again.stdout,
    'pypi stays at version 1: nothing changed\nprojects: 2 listed, 0 fetched, 2 unchanged'
  )
  const objects = packages.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(objects, [
    { project: 'a', version: '1.0', filename: 'a-1.0.tar.gz', yanked: false },
    { filename: 'a-2.0.tar.gz' },
    { filename: 'b-1.0.tar.gz', packageType: 'sdist', size: 12 }
  ])
  t.equal(objects[0].file, objects[0].digests.sha256)
  t.match(ofOne.stdout, /^a\t1\.0\ta-1\.0\.tar\.gz\t[0-9a-f]{64}\na\t2\.0\t[^\n]+\n$/)
  t.match(table.stdout, /^version +created +added +removed +present\n +1 +\S+ +\+3 +-0 +3\n$/)
  for (const { status, lines } of [again, packages, ofOne, table]) {
    t.equal(status, 0)
    t.strictSame(lines, [])
  }
})

t.test('options from a file, requirements from others', async t => {
  const index = await indexServer(t, { projects: 0 })
  for (const name of ['a', 'b', 'c']) addProject(index, name, '1.0', '2.0')
  const cwd = t.testdir({
    'millrace.toml': `
      index-url = "${index.indexUrl}"
      catalog = "mine.db"
      repository = "mine"
      include = ["a==1.0"]
      keep-latest = 1
      mirror = true
      concurrency-per-origin = 1
      requests-per-second = 1000
      requirements = ["wanted.txt"]
    `,
    'wanted.txt': 'b>=2 # why\n--index-url https://elsewhere.example/\n./local\n'
  })
  const { status, stdout, lines } = await cli(
    ['sync', 'c', '--config', 'millrace.toml', '--repository', 'other', '--json'],
    cwd
  )
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { repository: 'other', packages: { seen: 6, kept: 3, added: 3 } })
  t.match(index.stats(), { peakInFlight: 1 })
  t.match(lines, [/wanted\.txt.*\.\/local/, /wanted\.txt.*--index-url/])
  t.strictSame(await namesIn(join(cwd, 'mine.db'), 'other'), [
    ...['a-1.0.tar.gz', 'b-2.0.tar.gz', 'c-2.0.tar.gz']
  ])
})

t.test('bad usage is a clear line, and status 2', async t => {
  const cwd = t.testdir()
  const [option, pace, requirement, command] = await Promise.all([
    cli(['sync', '--concurrency', '0'], cwd),
    cli(['sync', '--requests-per-second', '0'], cwd),
    cli(['sync', 'a==1==2'], cwd),
    cli(['snyc'], cwd)
  ])
  oneLine(t, option.lines, '--concurrency', "'0'", 'whole number of 1 or more')
  oneLine(t, pace.lines, '--requests-per-second', "'0'", 'above 0')
  oneLine(t, requirement.lines, 'a==1==2', 'ERR_MILLRACE_REQUIREMENT')
  t.match(command.stderr, /unknown command 'snyc'[\s\S]*--help/)
  for (const { status, stdout } of [option, pace, requirement, command]) {
    t.equal(status, 2)
    t.equal(stdout, '')
  }
  t.notOk(existsSync(join(cwd, 'millrace.db')))
})

t.test('a run that fails has status 1 and one line; one with failures has 3 and lists them', async t => {
  const index = await indexServer(t, { projects: 0 })
  addProject(index, 'a', '1.0')
  addProject(index, 'b', '1.0')
  const cwd = t.testdir()
  const catalog = join(cwd, 'millrace.db')
  const args = ['sync', '--index-url', index.indexUrl, '--max-retries', '0', '--json']

  await index.down()
  const refused = await cli(args, cwd)
  t.equal(refused.status, 1)
  t.equal(refused.stdout, '')
  oneLine(t, refused.lines, index.indexUrl, 'ECONNREFUSED', '[ERR_MILLRACE_NETWORK]')
  await index.up()

  const repair = index.fault({ kind: 'html', match: /^\/simple\/$/ })
  const page = await cli(args, cwd)
  t.equal(page.status, 1)
  t.equal(page.stdout, '')
  oneLine(t, page.lines, index.indexUrl, 'web page', '[ERR_MILLRACE_DOCUMENT]')
  repair()

  index.fault({ kind: 'html', match: '/simple/a/' })
  const strict = await cli([...args, '--strict'], cwd)
  t.equal(strict.status, 1)
  oneLine(t, strict.lines, `${index.indexUrl}a/`, '[ERR_MILLRACE_DOCUMENT]')
  t.strictSame(await namesIn(catalog), [], 'nothing is visible')

  const some = await cli([...args, 'a', 'b', 'nowhere'], cwd)
  t.equal(some.status, 3)
  t.match(JSON.parse(some.stdout), {
    projects: { listed: 3, fetched: 1, missing: 1, failed: 1 },
    failures: [{ code: 'ERR_MILLRACE_DOCUMENT', project: 'a', url: `${index.indexUrl}a/` }]
  })
  t.match(some.lines.toSorted(), [/^millrace: a: .*ERR_MILLRACE_DOCUMENT/, 'nowhere is not on the index'])
  t.strictSame(await namesIn(catalog), ['b-1.0.tar.gz'])
})

t.test('a reader that has seen enough is no error', async t => {
  const index = await indexServer(t, { projects: 40, files: 100, fileBytes: 'none' })
  const cwd = t.testdir()
  await sync({ indexUrl: index.indexUrl, catalog: join(cwd, 'millrace.db'), prereleases: true })
  const { stdout, stderr } = await promisify(execFile)(
    'sh',
    ['-c', '("$@"; echo status $? >&2) | head -1', 'sh', process.execPath, CLI, 'packages', '--json'],
    { cwd }
  )
  t.match(JSON.parse(stdout), { project: 'sample-000000' })
  t.equal(stderr, 'status 0\n')
})

t.test('interrupted it says what was kept, and the next run goes on', async t => {
  const index = await indexServer(t, { projects: 400, files: 4, fileBytes: 'none', latencyMs: 10 })
  const cwd = t.testdir()
  const args = [
    'sync',
    '--index-url',
    index.indexUrl,
    '--prereleases',
    '--concurrency',
    '4',
    '--json',
    '--progress',
    'none'
  ]
  const { child, result } = startCli(args, cwd)
  while (index.stats().byKind.project < 200) await new Promise(resolve => setTimeout(resolve, 5))
  child.kill('SIGINT')
  const { status, stdout, lines } = await result
  t.equal(status, 130)
  t.equal(stdout, '')
  t.match(lines, [/stopping/, /interrupted; the repository is as it was, \d+ packages are saved/])
  const kept = Number(/(\d+) packages/.exec(lines[1] ?? '')?.[1])
  t.ok(kept > 0)
  t.strictSame(await namesIn(join(cwd, 'millrace.db')), [], 'nothing is visible')
  index.latencyMs = 0
  index.reset()
  const next = await cli(args, cwd)
  t.equal(next.status, 0)
  t.match(JSON.parse(next.stdout), { version: 1, projects: { listed: 400 }, packages: { added: 1600 } })
  const { unchanged } = (JSON.parse(next.stdout) as Report).projects
  t.ok(
    unchanged >= Math.floor(kept / 4) - 4,
    `${unchanged} projects of ${kept} packages were not fetched again`
  )
  t.equal(index.stats().byKind.project, 400 - unchanged)
})

t.test('a disk that is full', async t => {
  const index = await indexServer(t, { projects: 30, files: 40, fileBytes: 20_000 })
  const cwd = t.testdir()
  const small = join(cwd, 'small')
  mkdirSync(small)
  if (!mountTmpfs(t, small, 512)) {
    t.plan(0, 'no file system can be mounted here')
    return
  }
  const args = ['sync', '--index-url', index.indexUrl, '--prereleases', '--json']
  const catalog = await cli([...args, '--catalog', 'small/full.db'], cwd)
  t.equal(catalog.status, 1)
  t.equal(catalog.stdout, '')
  oneLine(t, catalog.lines, 'small/full.db', 'disk is full', '[ERR_MILLRACE_CATALOG]')

  const store = await cli([...args, '--policy', 'immediate', '--store', 'small/store'], cwd)
  t.equal(store.status, 1)
  t.equal(store.stdout, '')
  oneLine(t, store.lines, /small\/(store|full)/, 'ENOSPC', /\[ERR_MILLRACE_(STORE|TEMPORARY_FILE)\]/)
  t.strictSame(await namesIn(join(cwd, 'millrace.db')), [], 'nothing is visible')

  const elsewhere = await cli([...args, '--policy', 'immediate', '--store', 'large'], cwd)
  t.equal(elsewhere.status, 0)
  t.match(JSON.parse(elsewhere.stdout), { version: 1, packages: { present: 1200 } })
})
