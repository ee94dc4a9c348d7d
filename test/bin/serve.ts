/** Serving and publishing from the command line, with the built file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { CLI, cli } from '../helpers/cli.js'
import { indexServer } from '../helpers/index-server.js'
import { httpProxy } from '../helpers/proxy.js'
import { ask, JSON_TYPE, pathOf } from '../helpers/serve.js'
import { addProject } from '../helpers/sync.js'

interface Serving {
  readonly child: ChildProcess
  readonly origin: string
  /** First line of stdout, with `--json`. */
  readonly line: string | undefined
  readonly lines: string[]
}

/** Starts `millrace serve`, and waits until it says where. */
async function serve(t: Test, cwd: string, ...args: string[]): Promise<Serving> {
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const stderr = createInterface({ input: child.stderr })
  stderr.on('line', line => lines.push(line))
  const stdout = createInterface({ input: child.stdout })
  const first = args.includes('--json') ? once(stdout, 'line') : undefined
  await once(stderr, 'line')
  const [, origin] = / at (http:\/\/[^/]+)\/simple\/$/.exec(String(lines[0])) ?? []
  return { child, origin: String(origin), line: (await first)?.[0], lines }
}

t.test('it says where it is, serves, sees new versions, and stops when it is told to', async t => {
  const index = await indexServer(t, { projects: 0 })
  addProject(index, 'a', '1.0')
  const cwd = t.testdir()
  const sync = () => cli(['sync', '--index-url', index.indexUrl, '--progress', 'none'], cwd)
  t.equal((await sync()).status, 0)
  const { child, origin, line, lines } = await serve(t, cwd, '--json')
  t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/, 'on the loopback address')
  t.strictSame(JSON.parse(String(line)), { repository: 'pypi', url: `${origin}/simple/` })
  const page = async () => JSON.parse((await ask(origin, '/simple/a/', { accept: JSON_TYPE })).text)
  t.strictSame((await page()).versions, ['1.0'])
  addProject(index, 'a', '1.0', '2.0')
  t.equal((await sync()).status, 0)
  const { versions, files } = await page()
  t.strictSame(versions, ['1.0', '2.0'])
  const path = pathOf(files[0].url, 'a')
  t.equal((await ask(origin, path)).text, 'a-1.0.tar.gz')
  await index.down()
  t.equal((await ask(origin, path)).status, 200, 'kept')
  t.equal((await ask(origin, pathOf(files[1].url, 'a'))).status, 502)
  t.match(lines.at(-1), /^millrace: .*ERR_MILLRACE_NETWORK/)
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'close'), [0, null])
  t.equal(readdirSync(join(cwd, 'millrace-store', 'sha256')).length, 1)
})

t.test('files come through the proxy of the environment', async t => {
  const index = await indexServer(t, { projects: 0 })
  addProject(index, 'a', '1.0')
  const cwd = t.testdir()
  await cli(['sync', '--index-url', index.indexUrl, '--progress', 'none'], cwd)
  const proxy = await httpProxy(t)
  process.env.http_proxy = proxy.url
  t.teardown(() => {
    delete process.env.http_proxy
  })
  const { child, origin } = await serve(t, cwd, '--policy', 'streamed')
  const { files } = JSON.parse((await ask(origin, '/simple/a/', { accept: JSON_TYPE })).text)
  t.equal((await ask(origin, pathOf(files[0].url, 'a'))).text, 'a-1.0.tar.gz')
  t.equal(proxy.targets.length, 1)
  child.kill('SIGINT')
  t.strictSame(await once(child, 'close'), [0, null])
  t.notOk(existsSync(join(cwd, 'millrace-store', 'sha256')))
})

t.test('what cannot be served', async t => {
  const cwd = t.testdir()
  for (const [args, status, message] of [
    ['serve', 1, /millrace\.db.*ERR_MILLRACE_CATALOG/],
    ['serve --port 99999', 2, /--port/],
    ['serve --policy never', 2, /--policy/],
    ['publish', 2, /dir/],
    ['publish www', 1, /millrace\.db.*ERR_MILLRACE_CATALOG/],
    ['publish www --link none', 2, /--link/]
  ] as const) {
    const result = await cli(args.split(' '), cwd)
    t.equal(result.status, status, args)
    t.match(result.stderr, message)
  }
})

t.test('what a catalog is there for, and yet cannot be served', async t => {
  const index = await indexServer(t, { projects: 0 })
  addProject(index, 'a', '1.0')
  const cwd = t.testdir()
  await cli(['sync', '--index-url', index.indexUrl, '--progress', 'none'], cwd)
  for (const [args, status, message] of [
    [['serve', '--presign'], 2, /presign.*ERR_MILLRACE_OPTION/],
    [
      ['serve', '--port', new URL(index.origin).port],
      1,
      /Cannot listen on 127\.0\.0\.1:\d+: the port is in use/
    ],
    [
      ['serve', '--host', '192.0.2.1'],
      1,
      /Cannot listen on 192\.0\.2\.1:8000: this machine has no such address/
    ],
    [['publish', 'www', '--repository', 'b'], 1, /has no repository b \[/],
    [['publish', 'www', '--at', '9'], 1, /has no version 9 of the repository pypi \[/]
  ] as const) {
    const result = await cli(args, cwd)
    t.equal(result.status, status, args.join(' '))
    t.equal(result.lines.length, 1)
    t.match(result.stderr, message)
  }
})

t.test('publish', async t => {
  const index = await indexServer(t, { projects: 0 })
  addProject(index, 'a', '1.0')
  const cwd = t.testdir()
  const sync = () =>
    cli(['sync', '--index-url', index.indexUrl, '--policy', 'immediate', '--progress', 'none'], cwd)
  await sync()
  const first = await cli(['publish', 'www', '--json'], cwd)
  t.equal(first.status, 0, first.stderr)
  t.match(JSON.parse(first.stdout), {
    repository: 'pypi',
    version: 1,
    changed: true,
    projects: { written: 1, kept: 0 }
  })
  t.ok(existsSync(join(cwd, 'www/simple/a/index.json')))
  const again = await cli(['publish', 'www'], cwd)
  t.equal(again.stdout, 'www has version 1 of pypi already\n')
  addProject(index, 'b', '1.0')
  await sync()
  const second = await cli(['publish', 'www', '--link', 'copy'], cwd)
  t.match(
    second.stdout,
    /www has version 2 of pypi now\nprojects: 1 written, 1 as before\nfiles: 1 placed, 0 removed/
  )
  const older = await cli(['publish', 'www', '--at', '1', '--full'], cwd)
  t.match(older.stdout, 'version 1')
  t.notOk(existsSync(join(cwd, 'www/simple/b')))
})
