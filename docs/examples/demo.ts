/**
 * `npm run demo`: the main job without a network. A small index of real wheels, served by this process, is
 * synced into a catalog and a folder of files below `demo/`. Run it twice: the second time nothing is fetched.
 */
import { mkdirSync } from 'node:fs'
import { Catalog, DirectoryStore, sync } from 'millrace'
import prettyBytes from 'pretty-bytes'
import { pyodideWheels, wheelSource } from '../../benchmarks/index-server/recorded.js'
import { type IndexServer, startIndexServer } from '../../benchmarks/index-server/server.js'
import { columns } from '../../bin/table.js'

/** The same each time, so that the second run knows the index again. */
const port = 8417

mkdirSync('demo', { recursive: true })
const server = await start()
const catalog = await Catalog.open('demo/millrace.db')
const store = new DirectoryStore('demo/store')
try {
  console.log(`An index of real wheels listens on ${server.indexUrl}\n`)
  const report = await sync({ indexUrl: server.indexUrl, catalog, store, policy: 'immediate' })
  const { requests, byKind } = server.stats()

  const rows = [['PROJECT', 'VERSION', 'FILE', 'SIZE', 'SHA-256', 'LIES IN']]
  for await (const pkg of catalog.packages(report.repository)) {
    const { project, version = '', filename, size = 0, file } = pkg
    // The name of a file in the store is its digest: the first two digits are the folder.
    const where = file === undefined ? '' : `demo/store/sha256/${file.slice(0, 2)}/${file.slice(2, 14)}*`
    rows.push([project, version, filename, prettyBytes(size), file?.slice(0, 12) ?? '', where])
    if (file === undefined || (await store.size(file)) !== size) {
      console.error(`${filename} is not in the store as it should be`)
      process.exitCode = 1
    }
  }
  for (const row of columns(rows, new Set([3]))) console.log(row)

  const { files, packages, changed, version, durationMs, failures } = report
  console.log(
    changed
      ? `\n${files.downloaded} files came in, ${prettyBytes(files.bytes)}, in ${durationMs} ms.`
      : '\nNothing changed, and nothing was fetched anew.'
  )
  console.log(
    `Requests that the index counted: ${requests} (listing ${byKind.listing}, projects ${byKind.project}, files ${byKind.file}).`
  )
  console.log(
    `The repository ${report.repository} is at version ${version} and has ${packages.present} packages.`
  )
  for (const { code, url, message } of failures) console.error(`${code} ${url ?? ''}: ${message}`)
  if (failures.length > 0) process.exitCode = 3

  // Not npx: in a checkout it would install the package's dependencies a second time.
  const millrace = 'node dist/bin/millrace.js'
  console.log(`
Next:
  npm run demo                                       and nothing is fetched twice
  ${millrace} packages --catalog demo/millrace.db --json
                                                     all that the catalog knows, one object a line
  ${millrace} sync six 'requests>=2.31'
                                                     from pypi.org: metadata now, files when they are asked for
  ${millrace} sync six --policy immediate
                                                     from pypi.org, with the files`)
} finally {
  await catalog.close()
  await server.close()
}

/** On a port of its own choice where the usual one is taken. */
async function start(): Promise<IndexServer> {
  const options = { projects: 0, sources: [wheelSource(pyodideWheels())] }
  try {
    return await startIndexServer({ ...options, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return await startIndexServer(options)
  }
}
