/** Each example of `docs/examples` runs as it stands, and stands in the README as it runs. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { indexServer } from '../../helpers/index-server.js'

const skip = existsSync(resolve('dist/docs/examples')) ? false : 'not built: npm run build'

async function run(example: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    resolve('dist/docs/examples', example),
    ...args
  ])
  return stdout
}

function wheels(name: string, ...versions: string[]) {
  return {
    name,
    files: versions.flatMap(version => [
      { filename: `${name}-${version}-py3-none-any.whl` },
      { filename: `${name}-${version}.tar.gz` }
    ])
  }
}

t.test('the README has each example as it is', async t => {
  const readme = readFileSync('README.md', 'utf8')
  for (const name of readdirSync('docs/examples')) {
    if (name === 'demo.ts') continue
    const code = readFileSync(`docs/examples/${name}`, 'utf8')
    t.ok(readme.includes(`\`\`\`ts\n${code}\`\`\``), name)
  }
})

t.test('on an index', { skip }, async t => {
  const server = await indexServer(t, { projects: 0 })
  server.index.add(wheels('numpy', '1.26.4', '2.1.0'))
  server.index.add(wheels('scipy', '1.9.3', '1.14.1', '1.15.0.dev0+nightly'))
  const folder = t.testdir()

  const table = await run('own-table.js', server.indexUrl, `${folder}/wheels.db`)
  t.match(table, /project: 'numpy', wheels: 2/)
  t.match(table, /project: 'scipy', wheels: 3/)

  t.match(await run('own-stage.js', server.indexUrl, folder), '8 packages are new in version 1')

  const lines = (await run('with-chain.js', server.indexUrl)).trim().split('\n').sort()
  t.match(lines, [
    /^numpy-1\.26\.4-py3-none-any\.whl [0-9a-f]{64}$/,
    /^numpy-2\.1\.0-py3-none-any\.whl [0-9a-f]{64}$/,
    /^scipy-1\.14\.1-py3-none-any\.whl [0-9a-f]{64}$/
  ])
  t.equal(lines.length, 3)
})

t.test('on an API that has nothing to do with Python', { skip }, async t => {
  const server = createServer((request, response) => {
    const id = request.url?.split('/').at(-1)
    response.statusCode = id === '13' ? 404 : 200
    response.end(JSON.stringify({ name: `number ${id}` }))
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => server.close())
  const out = await run('downloader-alone.js', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.match(out, 'user 13 is left out: ERR_MILLRACE_STATUS')
  t.match(out, 'user 20 is number 20')
  t.equal(out.trim().split('\n').length, 20)
})
