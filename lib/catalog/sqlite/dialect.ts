/** What is written otherwise for SQLite. */
import type { Dialect } from '../driver.js'

export const dialect: Dialect = {
  records(binding, columns) {
    const values = Object.keys(columns).map((column, at) => `value ->> ${at} AS ${column}`)
    return `(SELECT key AS at, ${values.join(', ')} FROM json_each(${binding}))`
  },
  values: binding => `(SELECT value FROM json_each(${binding}))`,
  field: (column, name) => `${column} ->> '${name}'`,
  // One writes at a time.
  forShare: '',
  forUpdate: '',
  now: "((julianday('now') - 2440587.5) * 86400000.0)"
}
