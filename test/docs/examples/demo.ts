/** The demo as a newcomer runs it, twice, in a folder of its own. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const demo = resolve('dist/docs/examples/demo.js')

t.test(
  'five real wheels come in, and the second time none',
  {
    skip: existsSync(demo) ? false : 'not built: npm run build'
  },
  async t => {
    const cwd = t.testdir()
    const run = async () => (await promisify(execFile)(process.execPath, [demo], { cwd })).stdout
    const first = await run()
    t.equal(first.match(/^\S+ +\S+ +\S+\.whl +\S+ kB +[0-9a-f]{12} +demo\/store\/sha256\/\S+$/gm)?.length, 5)
    t.match(first, '5 files came in')
    const second = await run()
    t.match(second, 'Nothing changed')
    t.match(second, 'files 0)')
  }
)
