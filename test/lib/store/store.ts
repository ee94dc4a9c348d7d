import t from 'tap'
import { Body } from '../../../lib/http/body.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import type { PutFile, Store } from '../../../lib/store/store.js'

t.test('a store of another kind need not be a folder', async t => {
  const store: Store = new DirectoryStore(t.testdir())
  const put: PutFile = await store.put(new Body(Buffer.from('x')))
  t.match(put, { size: 1, reused: false })
  // @ts-expect-error a store has no `directory`
  t.type(store.directory, 'string')
})
