/** What is written otherwise for PostgreSQL. */
import type { Dialect } from '../driver.js'

export const dialect: Dialect = {
  records(binding, columns) {
    const values = Object.entries(columns).map(([column, type], at) =>
      type === 'text' ? `value ->> ${at} AS ${column}` : `CAST(value ->> ${at} AS ${type}) AS ${column}`
    )
    return `(SELECT ordinality - 1 AS at, ${values.join(', ')}
      FROM json_array_elements(CAST(${binding} AS json)) WITH ORDINALITY AS each (value, ordinality))`
  },
  values: (binding, type) =>
    `(SELECT CAST(value AS ${type}) AS value FROM json_array_elements_text(CAST(${binding} AS json)))`,
  field: (column, name) => `CAST(${column} AS json) ->> '${name}'`,
  forShare: 'FOR SHARE',
  forUpdate: 'FOR UPDATE',
  now: 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS double precision)'
}
