/** Each benchmark runs in small, as it was built, and finds its output right; its figures then say nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { benchmarks } from '../../benchmarks/list.js'

const run = fileURLToPath(new URL('../../dist/benchmarks/run.js', import.meta.url))

async function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [run, ...args], { stdio: 'pipe' })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

t.setTimeout(600_000)

for (const { name } of benchmarks) {
  t.test(name, async t => {
    const { code, out, err } = await bench('--quick', '--all-of-pypi', name)
    t.equal(code, 0, `runs: ${err.slice(-2000)}`)
    t.match(out, `## ${name}`)
    t.match(out, '| case | median |')
  })
}

t.test('a name that there is not', async t => {
  const { code, err } = await bench('speed')
  t.equal(code, 2)
  t.match(err, 'There is no benchmark speed')
})
