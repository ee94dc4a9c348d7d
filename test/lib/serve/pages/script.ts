/** What it does is tested in a browser: `test/browser/pages.ts`. */
import { Script } from 'node:vm'
import t from 'tap'
import { SCRIPT } from '../../../../lib/serve/pages/script.js'

t.test('it is a script, and makes no markup of text', async t => {
  t.ok(new Script(SCRIPT))
  t.notMatch(SCRIPT, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval/)
})
