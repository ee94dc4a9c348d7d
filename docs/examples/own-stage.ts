// A stage of your own in the list that `sync` builds: nothing of a vendor that you do not trust.
import { Transform } from 'node:stream'
import { PackageFilter, sync } from 'millrace'

const [indexUrl = 'https://pypi.org/simple/', folder = '.'] = process.argv.slice(2)

const report = await sync({
  indexUrl,
  catalog: `${folder}/millrace.db`,
  store: `${folder}/millrace-store`,
  includes: ['numpy', 'scipy'],
  stages(stages) {
    const filter = stages.findIndex(stage => stage instanceof PackageFilter)
    const noNightlies = new Transform({
      objectMode: true,
      transform(pkg, _encoding, done) {
        done(null, pkg.filename.includes('nightly') ? undefined : pkg)
      }
    })
    return stages.toSpliced(filter + 1, 0, noNightlies)
  }
})
console.log(`${report.packages.added} packages are new in version ${report.version}`)
