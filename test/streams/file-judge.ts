import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { BrokenFile, CheckedFile } from '../../lib/catalog/verification.js'
import { FileJudge } from '../../streams/file-judge.js'
import { openCatalog, sdist } from '../helpers/catalog.js'

const wrong = { kind: 'damaged', message: 'it is' } as const

t.test('what is right stays here, what is wrong goes on with the packages that have it', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const [a, b] = [sdist('a', '1'), sdist('b', '1')]
  const files = [a, b].map(({ digests }) => ({ sha256: String(digests.sha256), size: 1, read: 1 }))
  await run.savePackages([a, b], new Map([a, b].map((pkg, at) => [pkg, files[at] as CheckedFile])))
  await run.commit()
  await run.finish('done')

  const verification = await catalog.beginVerification()
  const checked: CheckedFile[] = [
    { ...(files[0] as CheckedFile), wrong },
    files[1] as CheckedFile,
    { sha256: 'removed meanwhile', size: 1, read: 0, wrong }
  ]
  const found: BrokenFile[] = []
  await pipeline(
    Readable.from(checked),
    new FileJudge({ verification }),
    async (source: AsyncIterable<BrokenFile>) => {
      for await (const file of source) found.push(file)
    }
  )
  t.match(found, [
    { sha256: a.digests.sha256, wrong, holders: [{ project: 'a', filename: a.filename, url: a.url }] }
  ])
  t.equal(found.length, 1)
  const left = []
  for await (const { sha256 } of verification.files(new Date(Date.now() - 60_000).toISOString(), 10))
    left.push(sha256)
  t.strictSame(left, [a.digests.sha256], 'the other was verified just now')
  await verification.end()
})

t.test('a catalog that fails', async t => {
  const catalog = await openCatalog(t)
  const verification = await catalog.beginVerification()
  await catalog.close()
  const judge = new FileJudge({ verification, maxWaitMs: undefined })
  await t.rejects(
    pipeline(Readable.from([{ sha256: 'x', size: 1, read: 1 }]), judge, async () => {}),
    { code: 'ERR_MILLRACE_CATALOG' }
  )
})
