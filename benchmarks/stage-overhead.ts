/**
 * What does each stage cost an object that passes it?
 *
 * Isolates: one stage between a source that has the objects ready and a sink that drops them; the same pipe without the
 * stage is taken off.
 * Floor: Node's own `PassThrough` in object mode.
 *
 *     npm run bench -- stage-overhead
 */
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Body, type Downloaded } from '../lib/http/body.js'
import type { Package, Project } from '../lib/pypi/package.js'
import {
  CatalogLookup,
  MetadataParser,
  PackageFilter,
  PackageSaver,
  ProjectLookup,
  VersionWriter
} from '../streams/index.js'
import type { Benchmark, Sample } from './harness/bench.js'
import { cpu, walls } from './harness/bench.js'
import { MadeUpSource, madeUpName } from './index-server/made-up.js'
import { newCatalog } from './workload.js'

const FILES = 24
const BATCHES = { batchSize: 720, highWaterMark: 256 }

export const stageOverhead: Benchmark = {
  name: 'stage-overhead',
  question: 'What does each stage cost an object?',
  isolates:
    'One stage between a source that has 24 files of each project ready and a sink that drops what comes; the same pipe without the stage is taken off. No network.',
  floor: 'Node’s own `PassThrough` in object mode.',
  minutes: 2,
  async run(bench) {
    const projects = bench.size(2000, 20)
    const packages = projects * FILES
    const documents = madeUp(projects)
    const listed = documents.map(({ item }) => item)
    const all: Package[] = []
    await pipeline(
      Readable.from(documents),
      new MetadataParser(),
      sink(pkg => all.push(pkg as Package))
    )
    bench.check('packages', all.length, packages)
    const folder = await bench.folder()
    const saving = async (work: (run: Awaited<ReturnType<typeof begin>>) => Promise<void>) => {
      const run = await begin()
      await run.lookupProjects(listed)
      await work(run)
      await run.finish('failed')
    }
    const catalog = await newCatalog(folder)
    const begin = () => catalog.beginRun({ repository: `made-up-${repository++}` })
    let repository = 0
    const through = (...stages: NodeJS.ReadWriteStream[]) => pipeline([source(all), ...stages, sink()])
    const found = await bench.sample({
      nothing: () => through(),
      PassThrough: () => through(new PassThrough({ objectMode: true, highWaterMark: 256 })),
      MetadataParser: () => pipeline(source(documents), new MetadataParser({ highWaterMark: 256 }), sink()),
      'PackageFilter, none set': () => through(new PackageFilter({ prereleases: true, highWaterMark: 256 })),
      'PackageFilter, five set': () =>
        through(
          new PackageFilter({
            packageTypes: ['bdist_wheel', 'sdist'],
            python: '3.12',
            excludePlatforms: ['windows'],
            uploadedBefore: '2025-06-01',
            highWaterMark: 256
          })
        ),
      'ProjectLookup (a project)': async () => {
        const run = await begin()
        await pipeline(source(listed), new ProjectLookup({ run }), sink())
        await run.finish('failed')
      },
      'CatalogLookup, all new': () => saving(run => through(new CatalogLookup({ run, ...BATCHES }))),
      'PackageSaver, all new': () => saving(run => through(new PackageSaver({ run, ...BATCHES }))),
      VersionWriter: () =>
        saving(run => pipeline(source(all), new VersionWriter({ run, highWaterMark: 256 })))
    })
    await catalog.close()
    const nothing = found.nothing
    for (const [name, samples] of Object.entries(found) as [string, Sample[]][]) {
      const objects = name.startsWith('ProjectLookup') ? projects : packages
      // A parser takes one object and gives 24, a lookup of projects has fewer: each is counted by what it gives.
      const base =
        name === 'nothing' ? () => 0 : (at: number) => ((nothing[at]?.ms ?? 0) * objects) / packages
      bench.row(
        name,
        'ns',
        walls(samples).map((ms, at) => Math.max(0, ((ms - base(at)) * 1e6) / objects)),
        { 'ns CPU, all threads': (cpu(samples) * 1e6) / objects }
      )
    }
  }
}

function source(objects: readonly unknown[]): Readable {
  let next = 0
  return new Readable({
    objectMode: true,
    highWaterMark: 256,
    read() {
      while (next < objects.length && this.push(objects[next++])) {
        // Until the reader has enough.
      }
      if (next >= objects.length) this.push(null)
    }
  })
}

function sink(take: (object: unknown) => void = () => {}): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 256,
    write(object, _encoding, done) {
      take(object)
      done()
    }
  })
}

function madeUp(projects: number): Downloaded<Project>[] {
  const index = new MadeUpSource({ projects, files: FILES, fileBytes: 'none' })
  return Array.from({ length: projects }, (_, at) => {
    const name = madeUpName(at)
    const url = `https://index.example/simple/${name}/`
    const page = index.project(name)?.page
    if (page === undefined) throw new Error(`${name} has no page`)
    return {
      item: { project: name, name, url },
      url,
      status: 200,
      headers: { 'content-type': 'application/vnd.pypi.simple.v1+json' },
      body: new Body(page('https://files.example')),
      attempts: 1
    }
  })
}
