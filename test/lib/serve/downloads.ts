import type { ServerResponse } from 'node:http'
import t from 'tap'
import { Downloads, type Joined } from '../../../lib/serve/downloads.js'
import { downloadSettings, plainServer, until } from '../../helpers/http.js'

function downloadOf(joined: Joined) {
  if (joined.kind === 'refused') throw joined.error
  return joined.download
}

t.test('one download for a key, begun again after its end; all end on close', async t => {
  const answers: ServerResponse[] = []
  const { origin } = await plainServer(t, (_request, response) => answers.push(response))
  const log: string[] = []
  const joins: boolean[] = []
  const downloads = new Downloads({
    ...{ coolDownMs: 0, onBytes: () => {} },
    log: line => log.push(line),
    onJoin: shared => joins.push(shared)
  })
  const settings = downloadSettings(t, { maxMemoryBytes: 0, directory: t.testdir() })
  const file = { key: 'x', url: `${origin}/x`, digests: {}, settings, keep: async () => {} }
  const one = downloadOf(downloads.join(file))
  t.equal(downloadOf(downloads.join(file)), one)
  t.strictSame(joins, [false, true])
  t.ok(downloads.has('x'))
  await until(() => answers.length === 1)
  answers[0]?.end('bytes')
  await one.whole
  t.strictSame([downloads.has('x'), downloads.inFlight, downloads.finished], [false, 0, 1])

  const other = downloadOf(downloads.join(file))
  t.not(other, one)
  t.equal(downloads.inFlight, 1)
  await until(() => answers.length === 2)
  await downloads.close()
  await t.rejects(other.whole, { name: 'AbortError' })
  t.strictSame(log, [], 'that is no failure')
  t.equal(downloads.inFlight, 0)
})
