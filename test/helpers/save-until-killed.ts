/** A process that makes one version of a catalog, for tests that kill it: `CATALOG ROUND`. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Catalog } from '../../lib/catalog/catalog.js'
import { PackageSaver } from '../../streams/package-saver.js'
import { VersionWriter } from '../../streams/version-writer.js'
import { roundOf } from './rounds.js'

const [location, round] = process.argv.slice(2) as [string, string]
const catalog = await Catalog.open(location)
const run = await catalog.beginRun({ repository: 'x', mirror: true, optionsKey: round })
process.stdout.write('begun')
const { packages, projects } = roundOf(Number(round))
const saver = new PackageSaver({ run, batchSize: 50 })
saver.on('saved', (batch: { project: string }[]) => {
  for (const { project } of batch) run.ledger.settle(project)
})
for (const project of projects) run.ledger.announce({ project, packages: packages.length / projects.length })
await pipeline(Readable.from(packages), saver, new VersionWriter({ run }))
await run.finish('done')
await catalog.close()
