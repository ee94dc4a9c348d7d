import { getEventListeners } from 'node:events'
import t from 'tap'
import { offAbort, onAbort } from '../../../lib/http/abort.js'

t.test('all that wait are stopped, once, by one listener', async t => {
  const controller = new AbortController()
  const stopped: string[] = []
  const a = () => {
    stopped.push('a')
    // As a request does that fails.
    offAbort(controller.signal, a)
  }
  onAbort(controller.signal, a)
  onAbort(controller.signal, () => stopped.push('b'))
  t.equal(getEventListeners(controller.signal, 'abort').length, 1)
  controller.abort()
  t.strictSame(stopped, ['a', 'b'])
})

t.test('what is taken back is not stopped, and leaves nothing behind', async t => {
  const controller = new AbortController()
  const stopped: string[] = []
  const [a, b] = [() => stopped.push('a'), () => stopped.push('b')]
  onAbort(controller.signal, a)
  onAbort(controller.signal, b)
  offAbort(controller.signal, b)
  offAbort(controller.signal, b)
  t.equal(getEventListeners(controller.signal, 'abort').length, 1)
  offAbort(controller.signal, a)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  offAbort(controller.signal, a)
  onAbort(controller.signal, b)
  controller.abort()
  t.strictSame(stopped, ['b'])
})
