import { Duplex, PassThrough } from 'node:stream'
import t from 'tap'
import { skip } from '../../streams/skip.js'

t.test('a listener sees the item and the error, and the stage goes on', async t => {
  const stage = new PassThrough({ objectMode: true })
  t.teardown(() => stage.destroy())
  const seen: unknown[] = []
  stage.on('skip', (...args: unknown[]) => seen.push(args))
  const error = new Error('bad')
  t.equal(skip(stage, { id: 1 }, error), true)
  t.strictSame(seen, [[{ id: 1 }, error]])
  t.equal(stage.destroyed, false)
})

t.test('where nobody listens, the error destroys the stage', async t => {
  const stage = new Duplex({ objectMode: true, read() {} })
  const failed = new Promise(resolve => stage.on('error', resolve))
  const error = new Error('bad')
  t.equal(skip(stage, {}, error), false)
  t.equal(stage.destroyed, true)
  t.equal(await failed, error)
})
