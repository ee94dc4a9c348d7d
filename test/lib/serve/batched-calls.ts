import t from 'tap'
import { BatchedCalls } from '../../../lib/serve/batched-calls.js'

/** A call that each test ends when it likes. */
function controlled() {
  const asked: (readonly number[])[] = []
  const ends: ((error?: Error) => void)[] = []
  const calls = new BatchedCalls<number, string>(questions => {
    asked.push(questions)
    return new Promise((resolve, reject) => {
      ends.push(error =>
        error ? reject(error) : resolve(questions.map(number => `${number} by ${ends.length}`))
      )
    })
  })
  const begun = async (count: number) => {
    while (asked.length < count) await new Promise(setImmediate)
  }
  return { calls, asked, ends, begun, ask: (number: number) => calls.ask(String(number), number) }
}

t.test('who asks at the same time is answered by one call, who asks while it runs by the next', async t => {
  const { asked, ends, begun, ask } = controlled()
  const first = Promise.all([ask(1), ask(2), ask(1)])
  await begun(1)
  const second = Promise.all([ask(1), ask(3)])
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  t.equal(asked.length, 1, 'one at a time')
  ends[0]?.()
  t.strictSame(await first, ['1 by 1', '2 by 1', '1 by 1'])
  await begun(2)
  ends[1]?.()
  t.strictSame(await second, ['1 by 2', '3 by 2'], 'no answer is older than its question')
  t.strictSame(asked, [
    [1, 2],
    [1, 3]
  ])
})

t.test('a failure is told to all who wait for that call, and to nobody else', async t => {
  const { ends, begun, ask } = controlled()
  const failing = Promise.allSettled([ask(1), ask(2)])
  await begun(1)
  const later = ask(1)
  ends[0]?.(new Error('no'))
  t.strictSame(
    (await failing).map(({ status }) => status),
    ['rejected', 'rejected']
  )
  await begun(2)
  ends[1]?.()
  t.equal(await later, '1 by 2')
})
