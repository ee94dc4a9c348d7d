/** What a dialect's SQL gives, which is the same in each. */
import type { Test } from 'tap'
import type { Dialect, Value } from '../../lib/catalog/driver.js'
import { encodeJson } from '../../lib/catalog/json.js'

type All = <Row>(sql: string, bindings: readonly Value[]) => Promise<Row[]>

export async function checkDialect(t: Test, dialect: Dialect, all: All): Promise<void> {
  const records = [
    ['a', 1, undefined],
    ['b"\\\'\n\u0007é漢😀', 2 ** 53 - 1, 'c'],
    [null, null, '']
  ]
  t.strictSame(
    await all(
      `SELECT asked.at, asked.name, asked.number, asked.more
       FROM ${dialect.records('?2', { name: 'text', number: 'bigint', more: 'text' })} AS asked
       WHERE at < CAST(?1 AS bigint) ORDER BY at`,
      [3, encodeJson(records)]
    ),
    records.map(([name, number, more], at) => ({ at, name, number, more: more ?? null }))
  )
  t.strictSame(await all(`SELECT name FROM ${dialect.records('?', { name: 'text' })} AS none`, ['[]']), [])
  t.strictSame(
    await all(`SELECT value FROM ${dialect.values('?', 'bigint')} AS given ORDER BY value DESC`, [
      '[1,20,3]'
    ]),
    [{ value: 20 }, { value: 3 }, { value: 1 }]
  )
  t.strictSame(
    await all(`SELECT value FROM ${dialect.values('?', 'text')} AS given`, [encodeJson(['\0', '\ud800x'])]),
    [{ value: '\ufffd' }, { value: '\ufffdx' }]
  )
  t.strictSame(
    await all(
      `SELECT ${dialect.field('object', 'key')} AS field FROM (
         SELECT '{"key":"a"}' AS object UNION ALL SELECT '{"other":1}' UNION ALL SELECT 'true') AS objects ORDER BY 1`,
      []
    ).then(rows => rows.map(row => (row as { field: string | null }).field).toSorted()),
    ['a', null, null]
  )
  await all(`SELECT 1 ${dialect.forShare}`, [])
  await all(`SELECT 1 ${dialect.forUpdate}`, [])
  const [time] = await all<{ now: number }>(`SELECT ${dialect.now} AS now`, [])
  t.ok(Math.abs(Number(time?.now) - Date.now()) < 60_000)
}
