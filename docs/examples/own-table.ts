// Packages of an index, piped into a table of your own.
import { pipeline } from 'node:stream/promises'
import knex from 'knex'
import { Downloader, MetadataParser, type Package, ProjectSource } from 'millrace'

const [indexUrl = 'https://pypi.org/simple/', filename = 'wheels.db'] = process.argv.slice(2)
const db = knex({ client: 'sqlite3', connection: { filename }, useNullAsDefault: true })
await db.schema.createTable('wheels', table => {
  table.string('filename').primary()
  table.string('project')
  table.string('version')
  table.integer('size')
})

await pipeline(
  new ProjectSource({ indexUrl, includes: ['numpy', 'scipy'] }),
  new Downloader({ concurrency: 8 }),
  new MetadataParser(),
  async (packages: AsyncIterable<Package>) => {
    for await (const { filename, project, version, size } of packages) {
      if (filename.endsWith('.whl')) await db('wheels').insert({ filename, project, version, size })
    }
  }
)
console.log(await db('wheels').select('project').count({ wheels: '*' }).groupBy('project'))
await db.destroy()
