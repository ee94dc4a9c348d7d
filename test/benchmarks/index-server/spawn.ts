/** The index in a process of its own: it serves, and it ends when told to, or when nobody is left to tell it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { request } from 'undici'
import { spawnIndexServer } from '../../../benchmarks/index-server/spawn.js'

const json = 'application/vnd.pypi.simple.v1+json'

async function listing(indexUrl: string): Promise<string[]> {
  const { body } = await request(indexUrl, { headers: { accept: json }, reset: true })
  const { projects } = (await body.json()) as { projects: { name: string }[] }
  return projects.map(({ name }) => name)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('serves, counts, changes, stops', async t => {
  const index = await spawnIndexServer({
    projects: 3,
    files: 2,
    'file-bytes': 'none',
    wheels: true,
    latency: 20
  })
  t.teardown(() => index.stop())
  t.strictSame(await listing(index.indexUrl), [
    'ipykernel',
    'piplite',
    'pyodide-kernel',
    'widgetsnbextension',
    'sample-000000',
    'sample-000001',
    'sample-000002'
  ])
  t.match(await index.stats(), { requests: 1, inFlight: 0, peakInFlight: 1, byKind: { listing: 1 } })
  await index.reset()
  await index.release(7)
  const { body } = await request(`${index.indexUrl}sample-000002/`, {
    headers: { accept: json },
    reset: true
  })
  t.match(await body.json(), { files: { length: 4 } })
  t.match(await index.stats(), { requests: 1, byKind: { project: 1, listing: 0 } })
  await index.stop()
  await index.stop()
  t.notOk(alive(index.pid))
})

t.test('ends with a parent that is killed', async t => {
  const parent = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(new URL('../../helpers/index-parent.ts', import.meta.url))],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line)
  t.ok(alive(pid))
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  while (alive(pid)) await new Promise(setImmediate)
  t.notOk(alive(pid))
})

t.test('says at once when it cannot start', async t => {
  await t.rejects(spawnIndexServer({ 'no-such-option': true }), { message: /status 2/ })
})
