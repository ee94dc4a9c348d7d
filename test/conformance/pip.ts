/** The real pip against what is served and what is published: with dependencies, hashes, and every policy. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { pyodideWheels, wheelSource } from '../../benchmarks/index-server/recorded.js'
import type { IndexServer } from '../../benchmarks/index-server/server.js'
import { publish } from '../../lib/publish/publish.js'
import { indexServer } from '../helpers/index-server.js'
import { findPip, type Pip } from '../helpers/pip.js'
import { serveSetup } from '../helpers/serve.js'
import { type SyncSetup, syncInto } from '../helpers/sync.js'
import { wheelOf } from '../helpers/zip.js'

const directory = t.testdir()
const found = findPip(directory)
// Each pip takes seconds where others work, too.
t.setTimeout(600_000)
const skip = found === undefined ? 'python3 -m pip is not there' : false
const pip = found as Pip

/** An app that needs a library, in versions of which some must not be chosen. */
async function appIndex(t: Parameters<typeof indexServer>[0]): Promise<IndexServer> {
  const index = await indexServer(t, { projects: 0, sources: [wheelSource(pyodideWheels())] })
  const add = (
    name: string,
    wheels: (ReturnType<typeof wheelOf> & { yanked?: string; requiresPython?: string })[]
  ) => {
    index.index.add({
      name,
      files: wheels.map(({ filename, content, metadata, yanked, requiresPython }) => {
        const path = `/files/packages/${filename}`
        index.route(path, { body: content })
        index.route(`${path}.metadata`, { body: metadata })
        return {
          ...{ filename, path, size: content.length, requiresPython },
          yanked: yanked ?? false,
          hashes: { sha256: sha256Of(content) },
          coreMetadata: { sha256: sha256Of(metadata) }
        }
      })
    })
  }
  add('app', [wheelOf('app', '1.0', { requires: ['Lib_Rary>=1.0,<3'] })])
  add('lib-rary', [
    wheelOf('lib_rary', '1.0'),
    wheelOf('lib_rary', '1.5'),
    { ...wheelOf('lib_rary', '2.0'), yanked: 'broken' },
    { ...wheelOf('lib_rary', '2.1', { requiresPython: '>=9' }), requiresPython: '>=9' },
    wheelOf('lib_rary', '3.0')
  ])
  return index
}

function folder(name: string): string {
  const path = join(directory, name)
  mkdirSync(path)
  return path
}

function sha256Of(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Installs the app, downloads all the demo's wheels with hashes required, and asks for versions. */
async function asPipDoes(
  t: Parameters<typeof indexServer>[0],
  setup: SyncSetup,
  indexUrl: string,
  name: string
): Promise<void> {
  const target = join(directory, name)
  const installed = await pip('install', '--target', target, '--index-url', indexUrl, 'App')
  t.equal(installed.status, 0, installed.stderr)
  const folders = readdirSync(target).filter(entry => entry.endsWith('.dist-info'))
  t.strictSame(folders.sort(), ['app-1.0.dist-info', 'lib_rary-1.5.dist-info'])
  t.equal(readFileSync(join(target, 'lib_rary/__init__.py'), 'utf8'), 'version = "1.5"\n')

  const wheels = (await setup.packages()).filter(({ project }) => project !== 'app' && project !== 'lib-rary')
  t.equal(wheels.length, 5)
  const requirements = join(directory, `${name}.txt`)
  const lines = new Map<string, string[]>()
  for (const { project, version, digests } of wheels)
    lines.set(`${project}==${version}`, [
      ...(lines.get(`${project}==${version}`) ?? []),
      `--hash=sha256:${digests.sha256}`
    ])
  const byProject = new Map(
    [...lines].map(([line, hashes]) => [line.split('==')[0], `${line} ${hashes.join(' ')}`])
  )
  writeFileSync(requirements, [...byProject.values()].join('\n'))
  const downloads = join(directory, `${name}-downloads`)
  const downloaded = await pip(
    ...['download', '--require-hashes', '--no-deps', '--only-binary=:all:', '--python-version', '3.13'],
    ...['-r', requirements, '-d', downloads, '--index-url', indexUrl]
  )
  t.equal(downloaded.status, 0, downloaded.stderr)
  const got = readdirSync(downloads)
  t.equal(got.length, byProject.size)
  for (const filename of got) {
    const wheel = wheels.find(pkg => pkg.filename === filename)
    t.equal(sha256Of(readFileSync(join(downloads, filename))), wheel?.digests.sha256)
  }
}

t.test('pip against the server', { skip }, async t => {
  const index = await appIndex(t)
  for (const policy of ['on-demand', 'immediate', 'streamed'] as const) {
    t.test(policy, async t => {
      const setup = await syncInto(t, folder(`sync-${policy}`), index)
      await setup.run({ policy })
      index.reset()
      const { origin, log } = await serveSetup(t, setup)
      await asPipDoes(t, setup, `${origin}/simple/`, policy)
      t.strictSame(log, [])
      const asked = index.requests('/files/').map(({ url }) => url.replace(/.*\//, ''))
      if (policy === 'immediate') t.strictSame(asked, [])
      else
        t.notMatch(
          asked.filter(name => !name.endsWith('.metadata')).join(),
          'lib_rary-1.0',
          'only what is installed'
        )
      if (policy !== 'on-demand') return
      const versions = await pip('index', 'versions', 'lib.rary', '--index-url', `${origin}/pypi/simple/`)
      t.match(versions.stdout, /Available versions: 3\.0, 1\.5, 1\.0\n/)
      const none = await pip('download', 'nothing-of-that-name', '--index-url', `${origin}/simple`)
      t.equal(none.status, 1)
      t.match(none.stderr, 'No matching distribution found for nothing-of-that-name')
    })
  }
})

t.test('pip against a folder', { skip }, async t => {
  const index = await appIndex(t)
  for (const policy of ['on-demand', 'immediate', 'streamed'] as const) {
    t.test(policy, async t => {
      const setup = await syncInto(t, folder(`publish-${policy}`), index)
      await setup.run({ policy })
      const { catalog, store } = setup
      const site = join(directory, `site-${policy}`)
      await publish({ directory: site, catalog, store })
      await asPipDoes(t, setup, pathToFileURL(join(site, 'simple')).href, `folder-${policy}`)
    })
  }
})

t.test('a wheel that is wrong upstream is none to pip', { skip }, async t => {
  const index = await appIndex(t)
  const setup = await syncInto(t, folder('sync-wrong'), index)
  await setup.run()
  index.fault({ match: /app-1\.0.*\.whl$/, kind: 'corrupted' })
  const { origin, log } = await serveSetup(t, setup)
  const target = join(directory, 'wrong')
  const { status } = await pip(
    'install',
    '--target',
    target,
    '--index-url',
    `${origin}/simple/`,
    '--retries',
    '0',
    'app'
  )
  t.equal(status, 1)
  t.match(log.join(), 'ERR_MILLRACE_DIGEST')
})
