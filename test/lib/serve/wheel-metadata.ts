import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Body } from '../../../lib/http/body.js'
import { readWheelMetadata } from '../../../lib/serve/wheel-metadata.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { wheelOf, zipOf } from '../../helpers/zip.js'

async function metadataOf(t: Test, content: Buffer, project = 'my-demo'): Promise<string | undefined> {
  const store = new DirectoryStore(join(t.testdirName, 'store'))
  const sha256 = createHash('sha256').update(content).digest('hex')
  const file = await store.put(new Body(content, { sha256 }))
  return (await readWheelMetadata(store, file, project))?.toString()
}

t.test('the METADATA of its own .dist-info', async t => {
  t.testdir()
  const { content, metadata } = wheelOf('My_Demo', '1.0')
  t.equal(await metadataOf(t, content), metadata)
  t.equal(await metadataOf(t, content, 'another'), undefined)
  t.equal(await metadataOf(t, Buffer.from('no archive')), undefined)
  t.equal(await metadataOf(t, Buffer.alloc(0)), undefined)
  t.equal(await metadataOf(t, zipOf({ 'x.py': '' })), undefined)
  t.equal(await metadataOf(t, zipOf({ 'deep/my_demo-1.0.dist-info/METADATA': 'x' })), undefined)
  t.equal(await metadataOf(t, zipOf({ 'my_demo-1.0.dist-info/METADATA': '' })), '')
  const two = { 'my_demo-1.0.dist-info/METADATA': 'one', 'my.demo-2.0.dist-info/METADATA': 'other' }
  t.equal(await metadataOf(t, zipOf(two)), undefined, 'of two, none is the one')
})
