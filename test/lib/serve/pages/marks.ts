import t from 'tap'
import { mark, stateMark, statusMark } from '../../../../lib/serve/pages/marks.js'

t.test('marks are words', async t => {
  t.equal(mark('yanked', true).markup, '<span class="mark strong">yanked</span>')
  t.equal(statusMark('active'), undefined)
  t.equal(statusMark('archived')?.markup, '<span class="mark">archived</span>')
  t.match(statusMark('quarantined')?.markup, 'strong')
  t.equal(stateMark('done'), undefined)
  t.equal(stateMark('running')?.markup, '<span class="mark">running</span>')
  for (const state of ['failed', 'dead'] as const) t.match(stateMark(state)?.markup, 'strong')
})
