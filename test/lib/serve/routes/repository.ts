import t from 'tap'
import { serveSetup } from '../../../helpers/serve.js'
import { addProject, syncSetup } from '../../../helpers/sync.js'

t.test('repositories by name, whatever the name, and their versions', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  const names = ['pypi', 'with space', 'a/b', 'x@2', 'naïve']
  for (const repository of names) await setup.run({ repository })
  const { get } = await serveSetup(t, setup, { repository: 'x@2' })
  for (const name of names) {
    const root = `/${encodeURIComponent(name)}`
    t.equal((await get(`${root}/simple/demo/`)).status, 200, name)
    t.equal((await get(`${root}@1/simple/demo/`)).status, 200, name)
    t.equal((await get(`${root}@2/simple/demo/`)).status, 404, name)
    t.equal((await get(`${root}@x/simple/demo/`)).status, 404, name)
    t.equal((await get(`${root}@99999999999999999999/simple/demo/`)).status, 404, name)
  }
  t.equal((await get('/simple/demo/')).status, 200)
  const none = await serveSetup(t, setup, { repository: 'none' })
  t.match(await none.get('/simple/'), { status: 404, text: 'There is no repository none\n' })
})
