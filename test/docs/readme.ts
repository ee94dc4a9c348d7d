/** The README's first example, as it stands: it speaks of pypi.org, which a preloaded module leads to a test index. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { indexServer } from '../helpers/index-server.js'

const EXAMPLE = `import { pipeline } from 'node:stream/promises'
import { Writable } from 'node:stream'
import { ProjectSource, Downloader, MetadataParser, PackageFilter } from 'millrace'

await pipeline(
  new ProjectSource({ indexUrl: 'https://pypi.org/simple/', includes: ['numpy', 'scipy>=1.10'] }),
  new Downloader({ concurrency: 32 }),
  new MetadataParser(),
  new PackageFilter({ includes: ['numpy', 'scipy>=1.10'], packageTypes: ['bdist_wheel'] }),
  new Writable({ objectMode: true, write (pkg, _enc, done) { console.log(pkg.filename, pkg.digests.sha256); done() } })
)
`

/** Plain connections to the test index in place of TLS to pypi.org, which cannot be had in a test. */
const preload = (port: number) => `
import net from 'node:net'
import tls from 'node:tls'
tls.connect = ({ servername, host }) => {
  if ((servername ?? host) !== 'pypi.org') throw new Error('not pypi.org')
  const socket = net.connect(${port}, '127.0.0.1')
  return socket.on('connect', () => socket.emit('secureConnect'))
}
`

t.test(
  'prints the wheels of two projects',
  { skip: existsSync(resolve('dist/streams/index.js')) ? false : 'not built: npm run build' },
  async t => {
    t.ok(readFileSync('README.md', 'utf8').includes(`\`\`\`ts\n${EXAMPLE}\`\`\``))
    const server = await indexServer(t, { projects: 0 })
    server.index.add({
      name: 'numpy',
      files: [
        { filename: 'numpy-2.1.0-cp312-cp312-manylinux_2_17_x86_64.whl' },
        { filename: 'numpy-2.1.0.tar.gz' }
      ]
    })
    server.index.add({
      name: 'scipy',
      files: ['1.9.3', '1.10.0', '1.11.0rc1'].map(version => ({
        filename: `scipy-${version}-py3-none-any.whl`
      }))
    })
    const folder = t.testdir({
      'preload.mjs': preload(Number(new URL(server.origin).port)),
      'example.mjs': EXAMPLE
    })
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      join(folder, 'preload.mjs'),
      join(folder, 'example.mjs')
    ])
    t.match(stdout.trim().split('\n').sort(), [
      /^numpy-2\.1\.0-cp312-cp312-manylinux_2_17_x86_64\.whl [0-9a-f]{64}$/,
      /^scipy-1\.10\.0-py3-none-any\.whl [0-9a-f]{64}$/
    ])
    t.equal(stdout.trim().split('\n').length, 2)
    t.equal(server.stats().requests, 2)
  }
)
