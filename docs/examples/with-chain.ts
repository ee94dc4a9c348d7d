// The pipeline as a chain: plain functions beside stages.

import { Downloader, MetadataParser, type Package, PackageFilter, ProjectSource } from 'millrace'
import chain from 'stream-chain'

const [indexUrl = 'https://pypi.org/simple/'] = process.argv.slice(2)

const lines = chain([
  new ProjectSource({ indexUrl, includes: ['numpy', 'scipy>=1.10'] }),
  new Downloader({ concurrency: 8 }),
  new MetadataParser(),
  new PackageFilter({ includes: ['numpy', 'scipy>=1.10'], packageTypes: ['bdist_wheel'] }),
  (pkg: Package) => `${pkg.filename} ${pkg.digests.sha256}`
])
for await (const line of lines) console.log(line)
