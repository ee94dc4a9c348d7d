import t from 'tap'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { openStore } from '../../../lib/store/open-store.js'
import { S3Store } from '../../../lib/store/s3-store.js'

t.test('a folder, a bucket, or what is open already', async t => {
  const folder = await openStore('some/folder')
  t.type(folder, DirectoryStore)
  t.equal(folder.presign, undefined)
  t.equal(await openStore(folder), folder)
  t.type(await openStore('S3://bucket/prefix?region=eu-west-1'), S3Store)
})

t.test('what is neither', async t => {
  for (const location of ['', 'gs://bucket/prefix', 's3://bucket?x=y'])
    await t.rejects(openStore(location), { code: 'ERR_MILLRACE_OPTION', option: 'store' })
})
