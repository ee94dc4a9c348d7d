import t from 'tap'
import { FileRecords } from '../../../lib/serve/file-records.js'

t.test('in batches, one after the other', async t => {
  const batches: string[][] = []
  let go = () => {}
  const reader = {
    recordFiles: async (files: readonly { sha256: string }[]) => {
      batches.push(files.map(({ sha256 }) => sha256))
      await new Promise<void>(resolve => {
        go = resolve
      })
    }
  }
  const records = new FileRecords(reader as never, () => {})
  for (const sha256 of ['a', 'b', 'c']) records.add({ sha256, size: 1 })
  t.strictSame(batches, [['a']])
  const flushed = records.flush()
  go()
  while (batches.length < 2) await new Promise(setImmediate)
  go()
  await flushed
  t.strictSame(batches, [['a'], ['b', 'c']])
  await records.flush()
})

t.test('what fails is told, and the next is tried', async t => {
  const log: string[] = []
  let calls = 0
  const reader = {
    recordFiles: async () => {
      if (++calls === 1) throw new Error('the disk is full')
    }
  }
  const records = new FileRecords(reader as never, line => log.push(line))
  records.add({ sha256: 'a', size: 1 })
  await records.flush()
  t.strictSame(log, ['the disk is full'])
  records.add({ sha256: 'b', size: 1 })
  await records.flush()
  t.equal(calls, 2)
})
