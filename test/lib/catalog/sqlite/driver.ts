import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SqliteDriver } from '../../../../lib/catalog/sqlite/driver.js'

t.test('a file that is not there is made by the first session', async t => {
  const path = join(t.testdir(), 'x.db')
  const driver = new SqliteDriver(path, 1)
  t.notOk(await driver.exists())
  const session = await driver.session()
  t.equal(await driver.identify(session), 'empty')
  await driver.claim(session)
  t.equal(await driver.identify(session), 'catalog')
  await session.release()
  t.ok(await driver.exists())
  await driver.close()
  t.ok(existsSync(path))
})

t.test('memory is always there, and has locks of its own', async t => {
  const driver = new SqliteDriver(':memory:', 5)
  t.ok(await driver.exists())
  const release = await driver.lock('1', 0)
  t.equal(await driver.lock('1', 0), undefined)
  await release?.()
  t.type(await driver.lock('1', 0), 'function')
  await driver.close()
})

t.test('a transaction ends as it is told', async t => {
  const driver = new SqliteDriver(':memory:', 1)
  const session = await driver.session()
  await session.run('CREATE TABLE x (a)')
  await session.begin()
  t.equal(await session.run('INSERT INTO x VALUES (?)', 1), 1)
  await session.rollback()
  await session.rollback()
  await session.begin()
  await session.run('INSERT INTO x VALUES (?)', 2)
  await session.commit()
  t.strictSame(await session.all('SELECT a FROM x'), [{ a: 2 }])
  await session.release()
  await driver.close()
})

t.test('says what codes mean, and tries nothing again', async t => {
  const driver = new SqliteDriver(':memory:', 1)
  t.match(driver.reason({ code: 'SQLITE_FULL' }), /the disk is full/)
  t.equal(driver.reason(new Error('x')), undefined)
  t.equal(driver.retryAfter(), undefined)
  await driver.close()
})
