/** The commands on what was: versions, runs, and the check of the store. */
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { VerifyReport } from '../../streams/verify.js'
import { cli } from '../helpers/cli.js'
import { addProject, type SyncSetup, syncSetup } from '../helpers/sync.js'

/** A folder with a catalog of two versions: `a-1` and `b-1`; then `a-1` yanked, `a-2` added, `b-1` gone. */
async function filled(t: Test): Promise<SyncSetup & { readonly cwd: string }> {
  const setup = await syncSetup(t)
  const { index, run } = setup
  const cwd = t.testdirName
  const options = { catalog: join(cwd, 'millrace.db'), store: join(cwd, 'millrace-store') }
  addProject(index, 'a', '1')
  addProject(index, 'b', '1')
  await run({ ...options, mirror: true, policy: 'immediate' })
  index.index.yank('a', 'a-1.tar.gz', 'broken')
  index.index.upload('a', { filename: 'a-2.tar.gz' })
  index.index.remove('b')
  await run({ ...options, mirror: true, policy: 'immediate' })
  return { ...setup, cwd }
}

const objects = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

t.test('diff, rollback and runs', async t => {
  const { cwd, index } = await filled(t)
  const [diff, json, same, wrong, usage] = await Promise.all([
    cli(['diff', '1', '2'], cwd),
    cli(['diff', '2', '1', '--json'], cwd),
    cli(['diff', '2', '2'], cwd),
    cli(['diff', '1', '3'], cwd),
    cli(['diff', '1', 'x'], cwd)
  ])
  t.match(diff, {
    status: 0,
    stderr: '',
    stdout: [
      'a',
      '  ~ a-1.tar.gz (yanked)',
      '  + a-2.tar.gz',
      'b',
      '  - b-1.tar.gz',
      '1 added, 1 removed, 1 changed',
      ''
    ].join('\n')
  })
  t.match(objects(json.stdout), [
    { change: 'changed', project: 'a', before: { yanked: 'broken' }, after: { yanked: false } },
    { change: 'removed', filename: 'a-2.tar.gz' },
    { change: 'added', filename: 'b-1.tar.gz' }
  ])
  t.match(same.stdout, /^0 added, 0 removed, 0 changed\n$/)
  t.match(wrong, {
    status: 1,
    stdout: '',
    stderr: /no version 3 of the repository pypi \[ERR_MILLRACE_CATALOG\]/
  })
  t.equal(usage.status, 2)

  const back = await cli(['rollback', '1', '--json'], cwd)
  t.match(JSON.parse(back.stdout), { version: 3, changed: true, added: 2, removed: 2, present: 2 })
  t.match((await cli(['rollback', '1'], cwd)).stdout, 'version 3 has that content already')
  t.match((await cli(['diff', '1', '3'], cwd)).stdout, /^0 added/)
  const on = [
    'sync',
    '--index-url',
    index.indexUrl.replace('//', '//user:secret@'),
    '--mirror',
    '--policy',
    'immediate'
  ]
  index.fault({ kind: 'status', status: 403, match: '/simple/a/' })
  const failed = await cli(
    [...on, '--include', 'a @ https://user:secret@x.example/a', '--max-retries', '0'],
    cwd
  )
  t.equal(failed.status, 3)

  const [runs, list, failures, few] = await Promise.all([
    cli(['runs'], cwd),
    cli(['runs', '--json'], cwd),
    cli(['runs', '--failures', '5'], cwd),
    cli(['runs', '--limit', '1', '--json'], cwd)
  ])
  const told = objects(list.stdout)
  t.match(told, [
    { id: 5, state: 'done', version: 3, report: { failures: 1, projects: { failed: 1 } } },
    { id: 4, options: { rollback: 1 } },
    { id: 3, version: 3, options: { rollback: 1 }, report: undefined },
    { id: 2, version: 2, report: { packages: { added: 2, removed: 2 }, failures: 0 } },
    { id: 1, options: { mirror: true, policy: 'immediate', indexUrl: index.indexUrl } }
  ])
  for (const { durationMs, startedAt, report } of told) {
    t.ok(durationMs >= 0 && Date.parse(startedAt) > 0)
    if (report !== undefined) t.ok(report.durationMs > 0)
  }
  t.notMatch(list.stdout, 'secret')
  t.match(told[0].options, { includes: ['a'], fullCheck: '30d', indexUrl: index.indexUrl })
  const lines = runs.stdout.split('\n')
  t.match(lines[0], /^run +started +state +version +took +packages +files +failed$/)
  t.match(lines[1], /^ +5 .* done +3 .* 1$/)
  t.match(failures.stdout, /^a: .*403 \[ERR_MILLRACE_STATUS\]\n$/)
  t.equal(objects(few.stdout).length, 1)
})

t.test('a sync that fails tells its run why', async t => {
  const { cwd } = await filled(t)
  const failed = await cli(['sync', '--index-url', 'http://127.0.0.1:1/simple/', '--max-retries', '0'], cwd)
  t.equal(failed.status, 1)
  const [last] = objects((await cli(['runs', '--json'], cwd)).stdout)
  t.match(last, { state: 'failed', report: { failures: 1 } })
  t.match(
    (await cli(['runs', '--failures', String(last.id), '--json'], cwd)).stdout,
    /"ERR_MILLRACE_NETWORK"/
  )
})

t.test('old versions go with --keep-versions', async t => {
  const { cwd, index } = await filled(t)
  const on = [
    'sync',
    '--index-url',
    index.indexUrl,
    '--mirror',
    '--policy',
    'immediate',
    '--keep-versions',
    '1'
  ]
  t.equal((await cli(on, cwd)).status, 0)
  t.match(JSON.parse((await cli(['versions', '--json'], cwd)).stdout), [{ number: 2 }])
  t.match(JSON.parse((await cli(['verify', '--json'], cwd)).stdout), { checked: 2, found: 0 })
  t.equal((await cli([...on, '--full-check', 'soon'], cwd)).status, 2)
  t.equal((await cli(['sync', '--keep-versions', '0'], cwd)).status, 2)
})

t.test('verify', async t => {
  const { cwd, index } = await filled(t)
  const sound = await cli(['verify', '--progress', 'none'], cwd)
  t.match(sound, {
    status: 0,
    stderr: '',
    stdout: /^3 files read \(\d+ B\) in .* s: 0 problems, 0 repaired\n$/
  })

  const { stdout } = await cli(['packages', '--json'], cwd)
  const [a1, a2] = objects(stdout) as { digests: { sha256: string } }[]
  const pathOf = (pkg: { digests: { sha256: string } } | undefined) => {
    const sha256 = String(pkg?.digests.sha256)
    return join(cwd, 'millrace-store', 'sha256', sha256.slice(0, 2), sha256.slice(2))
  }
  const good = readFileSync(pathOf(a1))
  writeFileSync(pathOf(a1), 'rotten')
  rmSync(pathOf(a2))
  const orphan = join(cwd, 'millrace-store', 'sha256', 'ab', 'cd'.repeat(31))
  mkdirSync(dirname(orphan), { recursive: true })
  writeFileSync(orphan, '')
  utimesSync(orphan, 1e9, 1e9)

  const broken = await cli(['verify'], cwd)
  t.match(broken, { status: 3, stderr: '' })
  t.match(broken.stdout, /^damaged a a-1.tar.gz [0-9a-f]{64}: .*sha256/m)
  t.match(broken.stdout, /^missing a a-2.tar.gz [0-9a-f]{64}: it is not in the store$/m)
  t.match(broken.stdout, /^orphan [0-9a-f]{64}: /m)
  t.match(broken.stdout, /: 3 problems, 0 repaired\n$/)

  const lost = index.fault({ kind: 'status', status: 404, match: 'a-2.tar.gz' })
  const repaired = await cli(['verify', '--repair', '--json', '--max-retries', '0'], cwd)
  t.equal(repaired.status, 3)
  const report = JSON.parse(repaired.stdout) as VerifyReport
  t.match(report, { checked: 3, found: 3, repaired: 2 })
  t.strictSame(report.problems.map(({ kind, repaired }) => `${kind} ${repaired}`).sort(), [
    ...['damaged true', 'missing false', 'orphan true']
  ])
  t.strictSame(readFileSync(pathOf(a1)), good)
  lost()
  t.match(await cli(['verify', '--repair'], cwd), { status: 0 })
  t.match(JSON.parse((await cli(['verify', '--older-than', '1d', '--json'], cwd)).stdout), { checked: 0 })
  t.match(JSON.parse((await cli(['verify', '--share', '0.5', '--json'], cwd)).stdout), { checked: 1 })

  for (const [args, status] of [
    [['--share', '2'], 2],
    [['--older-than', 'long'], 2],
    [['--catalog', 'none.db'], 1]
  ] as const) {
    t.equal((await cli(['verify', ...args], cwd)).status, status, args.join(' '))
  }
})
