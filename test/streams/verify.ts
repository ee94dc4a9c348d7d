import { createHash } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import type { ProblemKind } from '../../lib/catalog/verification.js'
import { Body } from '../../lib/http/body.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { type VerifyOptions, type VerifyReport, verify } from '../../streams/verify.js'
import { addProject, endsAfter, type SyncSetup, syncSetup } from '../helpers/sync.js'

interface Filled extends SyncSetup {
  check(options?: VerifyOptions): Promise<VerifyReport>
  /** The file of a package: its digest, and where it lies. */
  file(filename: string): Promise<{ readonly sha256: string; readonly path: string }>
  /** Whether a sync would change nothing, and a check finds nothing. */
  isSound(): Promise<boolean>
}

/** A synced repository with the sdists `a-1` to `a-6` and `b-1`. */
async function filled(t: Test): Promise<Filled> {
  const setup = await syncSetup(t)
  const { run, catalog, store, packages } = setup
  addProject(setup.index, 'a', '1', '2', '3', '4', '5', '6')
  addProject(setup.index, 'b', '1')
  await run({ policy: 'immediate' })
  const check = (options: VerifyOptions = {}) =>
    verify({ catalog, store, minTimeout: 1, maxRetries: 1, ...options })
  return {
    ...setup,
    check,
    async file(filename) {
      const found = (await packages()).find(pkg => pkg.filename === filename)
      const sha256 = found?.digests.sha256 as string
      return { sha256, path: join(store, 'sha256', sha256.slice(0, 2), sha256.slice(2)) }
    },
    async isSound() {
      const { found } = await check()
      return found === 0 && (await packages()).every(({ file, digests }) => file === digests.sha256)
    }
  }
}

const kinds = ({ problems }: VerifyReport) => problems.map(({ kind }) => kind)
const OLD_SECONDS = Date.now() / 1000 - 7200

t.test('a store as it should be', async t => {
  const { check, rows } = await filled(t)
  const running: VerifyReport[] = []
  const report = await check({ watch: report => running.push(report) })
  t.match(report, {
    files: 7,
    checked: 7,
    found: 0,
    repaired: 0,
    problems: { length: 0 },
    totalBytes: report.bytes
  })
  t.ok(report.bytes > 0 && report.durationMs > 0)
  t.equal(running[0], report)
  const verified = await rows<{ verified_at: string }>('SELECT verified_at FROM files')
  t.ok(verified.every(({ verified_at: at }) => at !== ''))
})

const FILE = 'a-1.tar.gz'
const DAMAGES: readonly [
  kind: ProblemKind,
  how: string,
  damage: (setup: Filled, file: { sha256: string; path: string }) => unknown
][] = [
  ['missing', 'the file is gone', (_, { path }) => rmSync(path)],
  ['damaged', 'the file is cut short', (_, { path }) => truncateSync(path, 3)],
  ['damaged', 'the file is empty', (_, { path }) => truncateSync(path, 0)],
  ['damaged', 'the file goes on', (_, { path }) => appendFileSync(path, 'more')],
  [
    'damaged',
    'a bit of the file is another',
    (_, { path }) => {
      const data = readFileSync(path)
      data[4] = (data[4] as number) ^ 1
      writeFileSync(path, data)
    }
  ],
  [
    'unreadable',
    'something else is in its place',
    (_, { path }) => {
      rmSync(path)
      mkdirSync(join(path, 'folder'), { recursive: true })
    }
  ],
  [
    'wrong-size',
    'its row has another size',
    ({ rows }, { sha256 }) => rows(`UPDATE files SET size = 99 WHERE sha256 = '${sha256}' RETURNING 1`)
  ],
  [
    'unknown',
    'its row is gone',
    ({ rows }, { sha256 }) => rows(`DELETE FROM files WHERE sha256 = '${sha256}' RETURNING 1`)
  ],
  [
    'unknown',
    'its row and the file are gone',
    async ({ rows }, { sha256, path }) => {
      await rows(`DELETE FROM files WHERE sha256 = '${sha256}' RETURNING 1`)
      rmSync(path)
    }
  ],
  [
    'mismatch',
    'its package has the file of another',
    async ({ rows, file }) => {
      const { sha256 } = await file('b-1.tar.gz')
      await rows(`UPDATE packages SET file = '${sha256}' WHERE filename = '${FILE}' RETURNING 1`)
    }
  ],
  [
    'unneeded',
    'no package has it',
    ({ rows, store }) => {
      const sha256 = createHash('sha256').update('x').digest('hex')
      mkdirSync(join(store, 'sha256', sha256.slice(0, 2)), { recursive: true })
      writeFileSync(join(store, 'sha256', sha256.slice(0, 2), sha256.slice(2)), 'x')
      return rows(`INSERT INTO files (sha256, size, created_at) VALUES ('${sha256}', 1, '') RETURNING 1`)
    }
  ],
  [
    'orphan',
    'the catalog does not know it',
    (_, { path }) => {
      const orphan = join(dirname(dirname(path)), 'ab', 'cd'.repeat(31))
      mkdirSync(dirname(orphan), { recursive: true })
      writeFileSync(orphan, 'x')
      utimesSync(orphan, OLD_SECONDS, OLD_SECONDS)
    }
  ],
  [
    'leftover',
    'a process died',
    ({ store }) => writeFileSync(join(store, 'tmp', `${hostname()}.4194305.0a.tmp`), 'half')
  ]
]

for (const [kind, how, damage] of DAMAGES) {
  t.test(`${kind}: ${how}`, async t => {
    const setup = await filled(t)
    const { check, file, run, isSound } = setup
    await damage(setup, await file(FILE))
    const report = await check()
    t.ok(kinds(report).includes(kind), kinds(report).join())
    t.match(report, { found: report.problems.length, repaired: 0 })
    for (const { message, repaired } of report.problems) t.ok(message && !repaired)
    t.strictSame(kinds(await check()), kinds(report), 'a check mends nothing')

    const repair = await check({ repair: true })
    t.equal(repair.repaired, repair.found)
    t.ok(kinds(repair).includes(kind))
    t.match(await check(), { found: 0 })
    // What was taken out of the rows comes with the next sync.
    t.match(await run({ policy: 'immediate' }), { version: 1, changed: false, failures: { length: 0 } })
    t.ok(await isSound())
  })
}

t.test('a broken file says whose it is, and is fetched again by itself', async t => {
  const { check, file, index } = await filled(t)
  const { sha256, path } = await file(FILE)
  const good = readFileSync(path)
  writeFileSync(path, Buffer.alloc(good.length))
  index.reset()
  t.match((await check({ repair: true })).problems, [
    { kind: 'damaged', sha256, project: 'a', filename: FILE, repaired: true, message: /sha256/ }
  ])
  t.strictSame(readFileSync(path), good)
  t.match(index.stats(), { requests: 1, byKind: { file: 1 } })
})

t.test('what cannot be had is taken out, and comes when it can', async t => {
  const { check, file, index, run, packages, isSound } = await filled(t)
  const { sha256, path } = await file(FILE)
  rmSync(path)
  const heal = index.fault({ kind: 'status', status: 500, match: FILE })
  const report = await check({ repair: true })
  t.match(report, { found: 1, repaired: 0 })
  t.match(report.problems, [
    {
      kind: 'missing',
      sha256,
      filename: FILE,
      repaired: false,
      message: /not in the store; not repaired: .*500/
    }
  ])
  t.match(await check(), { found: 0, checked: 6 })
  t.equal((await packages()).find(({ filename }) => filename === FILE)?.file, undefined)
  heal()
  t.match(await run({ policy: 'immediate' }), {
    changed: false,
    projects: { fetched: 1, unchanged: 1 },
    files: { downloaded: 1, reused: 5 }
  })
  t.ok(await isSound())
})

t.test('a file that upstream has otherwise now', async t => {
  const { check, file, index } = await filled(t)
  rmSync((await file(FILE)).path)
  index.index.upload('a', { filename: FILE, content: 'other' })
  t.match(await check({ repair: true }), { found: 1, repaired: 0 })
})

t.test('a broken file that nobody needs is removed', async t => {
  const { check, rows, stored } = await filled(t)
  await rows(`UPDATE packages SET file = NULL WHERE filename = '${FILE}' RETURNING 1`)
  const [unneeded] = (await check()).problems
  rmSync(join(t.testdirName, 'store', 'sha256', String(unneeded?.sha256).slice(0, 2)), { recursive: true })
  const report = await check({ repair: true })
  t.match(report, { found: 1, repaired: 1, problems: [{ kind: 'missing', project: undefined }] })
  t.equal((await stored()).size, 6)
})

t.test('one file of several packages', async t => {
  const { check, run, index, packages } = await filled(t)
  index.index.upload('b', { filename: 'b-2.tar.gz', content: 'a-1.tar.gz' })
  await run({ policy: 'immediate', repository: 'other' })
  await run({ policy: 'immediate' })
  const shared = (await packages()).find(({ filename }) => filename === FILE)?.file as string
  await new DirectoryStore(join(t.testdirName, 'store')).delete(shared)
  index.fault({ kind: 'status', status: 404, match: FILE })
  const report = await check({ repair: true })
  t.match(
    report,
    { found: 1, repaired: 1, problems: [{ message: /and 3 more packages have it/ }] },
    'by another URL'
  )
})

t.test('the METADATA that a server keeps is needed, and gone when it is broken', async t => {
  const { check, index, run, open, store, stored } = await filled(t)
  const metadata = 'Name: a'
  const sha256 = createHash('sha256').update(metadata).digest('hex')
  index.index.upload('a', { filename: 'a-7-py3-none-any.whl', metadata })
  await run({ policy: 'immediate' })
  const { size } = await new DirectoryStore(store).put(new Body(Buffer.from(metadata)))
  await open(catalog => catalog.index.recordFiles([{ sha256, size }]))
  t.match(await check(), { found: 0, checked: 9 })
  t.equal(await open(catalog => catalog.removeUnusedFiles(new DirectoryStore(store))), 0)
  writeFileSync(join(store, 'sha256', sha256.slice(0, 2), sha256.slice(2)), 'Name: b')
  t.match(await check({ repair: true }), { found: 1, repaired: 1, problems: [{ kind: 'damaged', sha256 }] })
  t.notOk((await stored()).has(sha256))
  t.match(await check(), { found: 0, checked: 8 })
})

t.test('some of the files, by age and by share', async t => {
  const { check, rows } = await filled(t)
  t.match(await check({ share: 0.3 }), { files: 3, checked: 3 })
  t.match(await check({ olderThan: '1h' }), { files: 4, checked: 4 }, 'the others were never read')
  t.match(await check({ olderThan: '1h' }), { files: 0, checked: 0 })
  await rows("UPDATE files SET verified_at = '2024-01-01T00:00:00.000Z' WHERE sha256 > '8' RETURNING 1")
  const [old] = await rows<{ n: number }>("SELECT count(*) AS n FROM files WHERE sha256 > '8'")
  t.match(await check({ olderThan: '30d', share: 1 }), { checked: old?.n })
  t.match(await check({ share: 0 }), { checked: 0 })
})

t.test('beside a sync it checks, and repairs nothing', async t => {
  const { check, run, store } = await filled(t)
  const orphan = join(store, 'sha256', 'ab', 'cd'.repeat(31))
  mkdirSync(dirname(orphan), { recursive: true })
  writeFileSync(orphan, 'about to be used')
  t.match(await check(), { found: 0 }, 'what is young may be known soon')
  const others: Promise<unknown>[] = []
  await run({
    stages(list) {
      const told = t.rejects(check({ repair: true }), { code: 'ERR_MILLRACE_BUSY', repository: 'pypi' })
      others.push(told, check())
      return list.toSpliced(1, 0, endsAfter(told))
    }
  })
  await Promise.all(others)
  t.match(await check({ repair: true }), { found: 0 })
  utimesSync(orphan, OLD_SECONDS, OLD_SECONDS)
  t.match(await check({ repair: true }), { found: 1, repaired: 1 })
  t.strictSame(readdirSync(dirname(orphan)), [])
})

t.test('more files than a page, and more orphans', async t => {
  const { check, rows, store } = await filled(t)
  const values = Array.from({ length: 1001 }, (_, n) => n.toString(16).padStart(64, '0'))
  mkdirSync(join(store, 'sha256', '00'), { recursive: true })
  for (const sha256 of values) {
    const path = join(store, 'sha256', '00', sha256.slice(2))
    writeFileSync(path, sha256)
    utimesSync(path, OLD_SECONDS, OLD_SECONDS)
  }
  t.match(await check(), { found: 1001, checked: 7 })
  for (let n = 0; n < 1001; n += 500) {
    const some = values.slice(n, n + 500).map(sha256 => `('${sha256}', 1, '')`)
    await rows(`INSERT INTO files (sha256, size, created_at) VALUES ${some.join()} RETURNING 1`)
  }
  const report = await check()
  t.equal(report.checked, 1008)
  t.equal(kinds(report).filter(kind => kind === 'damaged').length, 1001)
  t.equal(kinds(report).filter(kind => kind === 'unneeded').length, 1001)
  t.match(await check({ repair: true }), { repaired: 1001 })
  t.match(await check(), { found: 0, checked: 7 })
})

t.test('it can be stopped', async t => {
  const { check, rows } = await filled(t)
  await t.rejects(check({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  const controller = new AbortController()
  await t.rejects(check({ signal: controller.signal, watch: () => controller.abort() }), {
    name: 'AbortError'
  })
  const live = new AbortController()
  t.match(await check({ signal: live.signal }), { found: 0 })
  await rows(`UPDATE packages SET file = '${'ef'.repeat(32)}' WHERE filename = '${FILE}' RETURNING 1`)
  t.match(await check({ signal: live.signal }), { found: 2 })
})

t.test('a catalog and a store of the caller are used, and left open', async t => {
  const { catalog, store } = await filled(t)
  const opened = await Catalog.open(catalog)
  t.teardown(() => opened.close())
  t.match(await verify({ catalog: opened, store: new DirectoryStore(store), repair: true }), {
    found: 0,
    checked: 7
  })
  t.strictSame(await opened.repositories(), ['pypi'])
})

t.test('bad options are told before anything is opened', async t => {
  const bad: readonly [VerifyOptions, object][] = [
    [{ share: 1.1 }, { option: 'share' }],
    [{ olderThan: 'long' }, { option: 'olderThan' }],
    [{ store: '' }, { option: 'store' }]
  ]
  for (const [options, fields] of bad)
    await t.rejects(verify(options), { code: 'ERR_MILLRACE_OPTION', ...fields })
  await t.rejects(verify({ catalog: join(t.testdir(), 'none.db') }), { code: 'ERR_MILLRACE_CATALOG' })
  const { check } = await filled(t)
  await t.rejects(check({ concurrency: 0 }), { code: 'ERR_MILLRACE_OPTION', option: 'concurrency' })
  await t.rejects(check({ repair: true, maxRetries: -1 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'maxRetries'
  })
})
