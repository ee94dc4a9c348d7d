/**
 * What the system refuses: a read-only store, a catalog that another process holds, few file handles, a small disk.
 * Each ends in a clear error or a pause; nothing is lost, nothing hangs.
 */
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import sqlite3 from 'sqlite3'
import t from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import { Database } from '../../lib/catalog/database.js'
import { run as runStatement } from '../../lib/catalog/sqlite/connection.js'
import type { Report } from '../../lib/report.js'
import { CLI } from '../helpers/cli.js'
import { addProject, syncSetup } from '../helpers/sync.js'
import { mountTmpfs } from '../helpers/tmpfs.js'

// Many processes and many waits, on machines that may be busy.
t.setTimeout(600_000)

t.test('a store that cannot be written', async t => {
  await t.test('read-only', async t => {
    const { run, index, names, store } = await syncSetup(t)
    addProject(index, 'a', '1')
    mkdirSync(store)
    // Whoever may mount may also write where modes forbid it.
    if (!mountTmpfs(t, store, 64, 'ro')) chmodSync(store, 0o500)
    await t.rejects(run({ policy: 'immediate' }), {
      code: /^ERR_MILLRACE_(STORE|TEMPORARY_FILE)$/,
      cause: { code: /^(EROFS|EACCES)$/ }
    })
    t.strictSame(await names(), [])
    t.match(await run({ policy: 'on-demand' }), { version: 1 }, 'without files it is not needed')
  })

  await t.test('a file in its place', async t => {
    const { run, index, names, store } = await syncSetup(t)
    addProject(index, 'a', '1')
    writeFileSync(store, '')
    await t.rejects(run({ policy: 'immediate' }), { code: /^ERR_MILLRACE_(STORE|TEMPORARY_FILE)$/ })
    t.strictSame(await names(), [])
  })

  await t.test('a file that is too large for the disk, among others that fit', async t => {
    const { run, index, names, store } = await syncSetup(t)
    addProject(index, 'a', '1')
    index.index.add({ name: 'b', files: [{ filename: 'b-1.tar.gz', content: Buffer.alloc(3_000_000, 'b') }] })
    mkdirSync(store)
    if (!mountTmpfs(t, store, 2048)) return t.plan(0, 'no file system can be mounted here')
    await t.rejects(run({ policy: 'immediate' }), {
      code: /^ERR_MILLRACE_(STORE|TEMPORARY_FILE)$/,
      cause: { code: 'ENOSPC' }
    })
    t.strictSame(await names(), [])
    t.match(await run({ policy: 'immediate', maxFileSize: 1000 }), { version: 1, packages: { present: 1 } })
  })
})

t.test('a catalog that another process writes to', async t => {
  const { run, index, catalog, names } = await syncSetup(t)
  addProject(index, 'a', '1')
  await run()
  index.index.release('a')
  const other = new sqlite3.Database(catalog)
  t.teardown(() => other.close())

  await t.test('is waited for', async t => {
    await runStatement(other, 'BEGIN IMMEDIATE')
    let released = false
    const running = run().then(report => {
      t.ok(released)
      return report
    })
    // Long enough for the run to come to its first statement that writes.
    await sleep(300)
    released = true
    await runStatement(other, 'COMMIT')
    t.match(await running, { version: 2, packages: { added: 2 } })
  })

  await t.test('is given up in the end', async t => {
    const database = await Database.open(catalog, false)
    await database.use(connection => connection.run('PRAGMA busy_timeout = 100'))
    const impatient = Reflect.construct(Catalog, [database]) as Catalog
    await runStatement(other, 'BEGIN IMMEDIATE')
    const before = await names()
    await t.rejects(run({ catalog: impatient }), {
      code: 'ERR_MILLRACE_CATALOG',
      message: /catalog\.db is in use by another process$/,
      cause: { code: 'SQLITE_BUSY' }
    })
    await runStatement(other, 'COMMIT')
    await impatient.close()
    t.strictSame(await names(), before)
    t.match(await run(), { version: 2, changed: false })
  })
})

t.test('with 128 file handles', async t => {
  const { index, names, stored } = await syncSetup(t, { projects: 60, files: 6, fileBytes: 2_000_000 / 20 })
  const shell = (script: string) =>
    promisify(execFile)('sh', ['-c', script, 'sh', process.execPath, CLI], {
      cwd: t.testdirName,
      timeout: 60_000
    }).then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({ ...error, status: error.code })
    )
  const sync = (handles: number, flags: string) =>
    shell(
      `ulimit -n ${handles} && exec "$1" "$2" sync --index-url ${index.indexUrl} --catalog catalog.db --store store --policy immediate --prereleases --json ${flags}`
    )
  // More connections than handles: some requests have to wait, or fail and are named.
  const tight = await sync(128, '--concurrency 256 --download-concurrency 256 --max-retries 1')
  t.ok([0, 1, 3].includes(tight.status), `${tight.status} ${tight.stderr.slice(0, 300)}`)
  if (tight.status === 3) {
    const report = JSON.parse(tight.stdout) as Report
    t.ok(report.failures.length > 0)
    t.equal(report.packages.present, (await names()).length)
  }
  const usual = await sync(128, '')
  t.equal(usual.status, 0, usual.stderr)
  t.match(JSON.parse(usual.stdout), { failures: { length: 0 }, packages: { present: 360 } })
  t.equal((await names()).length, 360)
  t.equal((await stored()).size, 360)
})
