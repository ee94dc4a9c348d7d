/** Ends a process that saves at a random moment: what is visible is one whole version, and the next run succeeds. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Catalog } from '../../../lib/catalog/catalog.js'
import { readAll } from '../../helpers/catalog.js'
import { execute, newLocation, onPostgres } from '../../helpers/database.js'
import { random } from '../../helpers/random.js'
import { roundOf } from '../../helpers/rounds.js'

const KILLS = 4
const LONGEST_MS = 400

const child = fileURLToPath(
  new URL(`../../helpers/save-until-killed${import.meta.url.slice(-3)}`, import.meta.url)
)

/** Starts a round, kills it `afterMs` after it began, and says whether it was done before. */
async function round(location: string, number: number, afterMs: number | undefined): Promise<boolean> {
  const started = spawn(process.execPath, [...process.execArgv, child, location, String(number)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exit = once(started, 'exit')
  await once(started.stdout, 'data')
  if (afterMs !== undefined) {
    await sleep(afterMs)
    started.kill('SIGKILL')
  }
  const [code] = await exit
  return code === 0
}

t.test('killed while it saves', async t => {
  const { below } = random(7)
  const location = await newLocation(t, t.testdir())
  const check = async (): Promise<number> => {
    if (!onPostgres)
      t.strictSame(await execute(location, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }])
    const catalog = await Catalog.open(location)
    const versions = await catalog.versions('x')
    const packages = await readAll(catalog, 'x')
    t.equal(packages.length, versions.at(-1)?.present ?? 0)
    t.ok(new Set(packages.map(pkg => pkg.requiresPython)).size <= 1, 'one state, not two')
    await catalog.close()
    return versions.length
  }

  t.ok(await round(location, 1, undefined))
  t.equal(await check(), 1)
  let version = 1
  let killed = 0
  for (let number = 2; number < 2 + KILLS; number++) {
    const done = await round(location, number, below(LONGEST_MS))
    const now = await check()
    if (done) t.equal(now, version + 1)
    else killed++
    // Killed between its commit and its end, it has made its version all the same.
    t.ok(now === version || now === version + 1)
    version = now
  }
  t.comment(`${killed} of ${KILLS} were killed in time`)

  t.ok(await round(location, 99, undefined), 'the lock is free and the next run comes to its end')
  t.equal(await check(), version + 1)
  const catalog = await Catalog.open(location)
  t.teardown(() => catalog.close())
  const names = (await readAll(catalog, 'x')).map(({ project, filename }) => `${project} ${filename}`)
  t.strictSame(
    names,
    roundOf(99)
      .packages.map(({ project, filename }) => `${project} ${filename}`)
      .sort()
  )
})
