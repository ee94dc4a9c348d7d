import t from 'tap'
import { SharedCalls } from '../../../lib/serve/shared-calls.js'

t.test('one call for all who ask meanwhile, and another for those who ask later', async t => {
  const calls = new SharedCalls<number>()
  let made = 0
  let finish = () => {}
  const call = () =>
    new Promise<number>(resolve => {
      made++
      finish = () => resolve(made)
    })
  const both = Promise.all([calls.run('x', call), calls.run('x', call), calls.run('y', async () => 7)])
  t.equal(made, 1)
  finish()
  t.strictSame(await both, [1, 1, 7])
  const later = calls.run('x', call)
  finish()
  t.equal(await later, 2)
})

t.test('a failure is told to all, and not kept', async t => {
  const calls = new SharedCalls<number>()
  const fail = async () => {
    throw new Error('no')
  }
  const results = await Promise.allSettled([calls.run('x', fail), calls.run('x', fail)])
  t.strictSame(
    results.map(({ status }) => status),
    ['rejected', 'rejected']
  )
  t.equal(await calls.run('x', async () => 1), 1)
})
