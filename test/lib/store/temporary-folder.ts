import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { cleanFolder, entries, leftoversOf } from '../../../lib/store/temporary-folder.js'

t.test('temporary files of processes that are gone are removed', async t => {
  const folder = t.testdir()
  const host = hostname()
  // Linux gives no process a number above 2^22.
  const gone = `${host}.4194305.0a.tmp`
  const before = `${host}.${process.pid}.0b.tmp`
  const kept = [
    `${host}.${process.pid}.0c.tmp`,
    `${host}.1.0d.tmp`,
    `elsewhere.example.4194305.0e.tmp`,
    'a note',
    `${host}.tmp`
  ]
  for (const name of [gone, before, ...kept]) writeFileSync(join(folder, name), '')
  const longAgo = Date.now() / 1000 - process.uptime() - 60
  utimesSync(join(folder, before), longAgo, longAgo)
  const leftovers = []
  for await (const name of leftoversOf(folder)) leftovers.push(name)
  t.strictSame(leftovers.sort(), [gone, before].sort())
  t.equal(await cleanFolder(folder), 2)
  t.strictSame(readdirSync(folder).sort(), kept.sort())
})

t.test('two clean at once', async t => {
  const folder = t.testdir()
  for (let n = 0; n < 50; n++) writeFileSync(join(folder, `${hostname()}.4194305.${n}.tmp`), '')
  const [one, two] = await Promise.all([cleanFolder(folder), cleanFolder(folder)])
  t.equal(Number(one) + Number(two), 50)
})

t.test('a temporary file that cannot be cleaned', async t => {
  const folder = t.testdir()
  mkdirSync(join(folder, `${hostname()}.4194305.0a.tmp`))
  await t.rejects(cleanFolder(folder), { code: 'ERR_MILLRACE_STORE' })
})

t.test('a folder that is none, or is not there', async t => {
  const file = join(t.testdir({ file: '' }), 'file')
  await t.rejects(entries(file), { code: 'ERR_MILLRACE_STORE', path: file, cause: { code: 'ENOTDIR' } })
  t.strictSame(await entries(join(t.testdirName, 'none')), [])
})
