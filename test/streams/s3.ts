/** A store in a bucket under all that uses one: sync, serve, verify, publish. */
import { readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { publish } from '../../lib/publish/publish.js'
import { openStore } from '../../lib/store/open-store.js'
import { verify } from '../../streams/verify.js'
import { cli } from '../helpers/cli.js'
import { startS3 } from '../helpers/s3.js'
import { pathOf, serveSetup } from '../helpers/serve.js'
import { addProject, syncSetup } from '../helpers/sync.js'

/** A synced repository with the sdists `a-1` to `a-3` and `b-1`, whose files are in a bucket. */
async function filled(t: Test) {
  const s3 = await startS3(t)
  const setup = await syncSetup(t)
  addProject(setup.index, 'a', '1', '2', '3')
  addProject(setup.index, 'b', '1')
  const report = await setup.run({ store: s3.location, policy: 'immediate' })
  t.match(report, { files: { downloaded: 4, failed: 0 }, failures: { length: 0 } })
  const sha256Of = async (filename: string) =>
    String((await setup.packages()).find(pkg => pkg.filename === filename)?.digests.sha256)
  const stored = async () => {
    const digests = []
    for await (const { sha256 } of (await openStore(s3.location)).list()) digests.push(sha256)
    return digests.sort()
  }
  return {
    ...setup,
    s3,
    sha256Of,
    stored,
    check: { catalog: setup.catalog, store: s3.location, minTimeout: 1 }
  }
}

t.test('sync, and sync again', async t => {
  const { run, s3, packages, stored } = await filled(t)
  const digests = (await packages()).map(({ digests }) => digests.sha256)
  t.strictSame(await stored(), [...digests].sort())
  s3.requests.length = 0
  t.match(await run({ store: s3.location, policy: 'immediate' }), { changed: false })
  t.strictSame(
    s3.requests.filter(request => !request.includes('uploads')),
    [],
    'what is known to be there is not asked for'
  )
  t.strictSame(s3.uploads(), [])
})

t.test('what no version needs is removed', async t => {
  const { index, run, s3, sha256Of, stored } = await filled(t)
  const gone = await sha256Of('b-1.tar.gz')
  index.index.remove('b')
  await run({ store: s3.location, policy: 'immediate', mirror: true, keepVersions: 1, maxRemovals: 1 })
  t.equal((await stored()).length, 3)
  t.notOk((await stored()).includes(gone))
})

t.test('verify finds and repairs', async t => {
  const { s3, check, sha256Of } = await filled(t)
  t.match(await verify(check), { files: 4, checked: 4, found: 0 })
  truncateSync(s3.pathOf(await sha256Of('a-1.tar.gz')), 3)
  const missing = s3.pathOf(await sha256Of('a-2.tar.gz'))
  rmSync(missing)
  rmSync(missing.replace(/object$/, 'metadata.json'))
  const { problems } = await verify({ ...check, repair: true })
  t.strictSame(problems.map(({ kind, repaired }) => [kind, repaired]).sort(), [
    ['damaged', true],
    ['missing', true]
  ])
  t.match(await verify(check), { checked: 4, found: 0 })
})

t.test('a bucket that is not to be reached is no reason to think all files lost', async t => {
  const { s3, check } = await filled(t)
  s3.fault = request => (request.startsWith('GET /packages/wheels/') ? 403 : undefined)
  await t.rejects(verify({ ...check, repair: true }), { code: 'ERR_MILLRACE_STORE' })
  s3.fault = () => undefined
  t.match(await verify(check), { checked: 4, found: 0 })
})

t.test('serve from it', async t => {
  const { catalog, s3, sha256Of, index } = await filled(t)
  addProject(index, 'c', '1')
  const { page, get, head } = await serveSetup(t, { catalog, store: s3.location })
  const [file] = (await page('b')).files
  const path = pathOf(String(file?.url), 'b')
  const whole = await get(path)
  t.match(whole, { status: 200, headers: { etag: `"${await sha256Of('b-1.tar.gz')}"` } })
  t.equal(whole.body.length, file?.size)
  const part = await get(path, { range: 'bytes=2-4' })
  t.match(part, { status: 206, body: whole.body.subarray(2, 5) })
  t.match(await head(path), { status: 200, headers: { 'content-length': String(file?.size) } })
})

t.test('a file that is not there is fetched, put there, and sent on its way', async t => {
  const s3 = await startS3(t)
  const { run, index, catalog, stored: _, packages } = await syncSetup(t)
  addProject(index, 'a', '1')
  await run({ store: s3.location })
  const { page, get, head } = await serveSetup(t, { catalog, store: s3.location }, { presign: true })
  const [file] = (await page('a')).files
  const path = pathOf(String(file?.url), 'a')
  const first = await get(path)
  t.equal(first.status, 200)
  const second = await get(path)
  t.match(second, {
    status: 302,
    headers: { 'cache-control': 'no-store', etag: undefined, 'last-modified': undefined }
  })
  t.ok(second.headers.location?.startsWith(`${s3.endpoint}/packages/wheels/sha256/`))
  const answer = await fetch(String(second.headers.location), { headers: { range: 'bytes=0-' } })
  t.strictSame(Buffer.from(await answer.arrayBuffer()), first.body)
  t.equal(answer.headers.get('content-disposition'), 'attachment; filename="a-1.tar.gz"')
  const [pkg] = await packages()
  t.match(await head(path), { status: 200 }, 'who only asks is answered here')
  t.match(await get(path, { 'if-none-match': `"${pkg?.digests.sha256}"` }), { status: 304 })
})

t.test('a folder sends nobody elsewhere', async t => {
  const { catalog, store, run } = await syncSetup(t)
  await run()
  await t.rejects(serveSetup(t, { catalog, store }, { presign: true }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'presign'
  })
})

t.test('publish from it', async t => {
  const { catalog, s3, sha256Of } = await filled(t)
  const directory = join(t.testdirName, 'www')
  t.match(await publish({ catalog, store: s3.location, directory }), { files: { placed: 4, upstream: 0 } })
  const sha256 = await sha256Of('b-1.tar.gz')
  t.ok(readFileSync(join(directory, 'files', 'b', sha256, 'b-1.tar.gz')).length > 0)
})

t.test('the command line', async t => {
  const s3 = await startS3(t)
  const { index, catalog } = await syncSetup(t)
  addProject(index, 'a', '1')
  const where = ['--catalog', catalog, '--store', s3.location]
  const synced = await cli(
    ['sync', ...where, '--index-url', index.indexUrl, '--policy', 'immediate'],
    t.testdirName
  )
  t.equal(synced.status, 0, synced.stderr)
  const verified = await cli(['verify', ...where, '--json'], t.testdirName)
  t.match(JSON.parse(verified.stdout), { checked: 1, found: 0 })
  const wrong = await cli(['verify', '--catalog', catalog, '--store', 'gs://x/y'], t.testdirName)
  t.match(wrong, { status: 2, stderr: /ERR_MILLRACE_OPTION/ })
})
