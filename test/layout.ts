/** Each source file has its test at the same path, and imports run one way. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/** Files with nothing to run: types and lists. */
const UNTESTED = new Set(['streams/index.ts', 'lib/catalog/driver.ts', 'lib/pypi/package.ts'])

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name))
}

for (const source of [...sources('lib'), ...sources('streams')]) {
  if (!UNTESTED.has(source)) t.ok(existsSync(join('test', source)), `${source} has a test`)
}

for (const source of sources('lib')) {
  t.notMatch(readFileSync(source, 'utf8'), /from '(\.\.\/)+(streams|bin)\//, `${source} stays in lib`)
}
for (const source of sources('streams')) {
  t.notMatch(readFileSync(source, 'utf8'), /from '(\.\.\/)+bin\//, `${source} knows no command line`)
}
