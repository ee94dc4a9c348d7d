import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lock } from '../../../../lib/catalog/sqlite/lock.js'

t.test('one holds it, others are told or wait', async t => {
  const location = join(t.testdir(), 'x.db')
  const release = await lock(location, '1')
  t.type(release, 'function')
  t.equal(await lock(location, '1'), undefined)
  const other = await lock(location, '2')
  t.type(other, 'function', 'another name is another lock')
  const waiting = lock(location, '1', 60_000)
  await release?.()
  const next = await waiting
  t.type(next, 'function')
  await next?.()
  await next?.()
  await other?.()
  t.ok(existsSync(`${location}-lock-1`), 'the file stays')
})

t.test('a folder that is not there', async t => {
  await t.rejects(lock(join(t.testdir(), 'none', 'x.db'), '1'), { code: 'SQLITE_CANTOPEN' })
})

t.test('something else in the place of the file', async t => {
  const location = join(
    t.testdir({ 'x.db-lock-1': 'not a database, but longer than a header\n'.repeat(20) }),
    'x.db'
  )
  await t.rejects(lock(location, '1'), { code: 'SQLITE_NOTADB' })
})
