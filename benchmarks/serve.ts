/**
 * How fast does the server answer installers while a sync writes into its catalog, beside nginx?
 *
 * Isolates: pages of projects out of a running `millrace serve`, by 200 clients that wrk keeps on connections of their own:
 * as they are, as gzip, and asked for on condition (304). Syncs run in another process all the while; each makes a version.
 * Floor: nginx, one process as well, with the same bytes as files, compressed beforehand, beside the same syncs.
 *
 *     npm run bench -- serve
 *     npm run bench -- serve --only=gzip --merge
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { request } from 'undici'
import { type Bench, type Benchmark, median } from './harness/bench.js'
import { inOwnProcess } from './harness/own-process.js'
import { madeUpName } from './index-server/made-up.js'
import { spawnIndexServer } from './index-server/spawn.js'
import type { SyncResult } from './sync-case.js'

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const SYNC = new URL(`./sync-case.${EXTENSION}`, import.meta.url).href
const CLI = fileURLToPath(new URL(`../bin/millrace.${EXTENSION}`, import.meta.url))
const CLIENTS = 200
const TURNS = 2
const FILES = 24
/** How much the memory may have grown from the first third of all samples to the last. */
const GROWTH = 1.1
const ACCEPT = 'application/vnd.pypi.simple.v1+json'
const SHAPES = ['identity', 'gzip', 'unchanged'] as const
type Shape = (typeof SHAPES)[number]

export const serve: Benchmark = {
  name: 'serve',
  question: 'How fast does the server answer installers while a sync runs, beside nginx?',
  isolates:
    '200 connections of wrk for 30 s a sample, on the JSON pages of 500 projects (24 files, 13 KB) in turn: as they are, as gzip, and with `If-None-Match` (304). Beside it syncs into the same repository, one after the other, each of which fetches a tenth of its 5,000 projects and makes a version.',
  floor:
    'nginx, one process, with the same bytes as files, those of gzip compressed beforehand, beside the same syncs. With two cores, clients and syncs take their share of both.',
  minutes: 9,
  async run(bench) {
    if (!(await isThere('wrk'))) {
      if (!bench.quick) throw new Error('There is no wrk on this machine (Debian: apt-get install wrk)')
      bench.log('skipped: there is no wrk on this machine')
      return
    }
    const projects = bench.size(5000, 100)
    const folder = await bench.folder()
    const catalog = join(folder, 'catalog.db')
    const index = await spawnIndexServer({ projects, files: FILES, 'file-bytes': 'none' })
    const options = { catalog, indexUrl: index.indexUrl, concurrency: 32 }
    const servers: Server[] = []
    try {
      await inOwnProcess<SyncResult>(SYNC, 'syncOnce', options)
      const millrace = await startMillrace(folder, catalog)
      servers.push(millrace)
      const pages = await readPages(millrace, bench.size(500, 10))
      if (await isThere('nginx')) servers.push(await startNginx(folder, pages))
      else bench.notes.push('There was no nginx on this machine.')
      const beside = async (seconds: number) => {
        await index.release(projects / 10)
        return (await inOwnProcess<number>(SYNC, 'syncFor', { ...options, seconds, origin: index.origin }))
          .result
      }
      const memory: Memory = []
      for (const shape of SHAPES)
        if (bench.wants(shape)) await measure(bench, shape, servers, pages, folder, beside, memory)
      reportMemory(bench, memory)
    } finally {
      for (const { child } of servers) {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
      await index.stop()
    }
  }
}

interface Server {
  readonly name: 'millrace' | 'nginx'
  readonly origin: string
  readonly child: ChildProcess
}

/** What a page is, as the server gave it. */
interface Page {
  readonly path: string
  readonly identity: Buffer
  readonly gzip: Buffer
}

type Memory = (readonly [second: number, megabytes: number])[]

interface Sample {
  readonly rate: number
  readonly p50: number
  readonly p99: number
  /** Bytes of an answer, headers included. */
  readonly bytes: number
  readonly cpuMicroseconds: number
  readonly syncs: number
}

async function measure(
  bench: Bench,
  shape: Shape,
  servers: readonly Server[],
  pages: readonly Page[],
  folder: string,
  beside: (seconds: number) => Promise<number>,
  memory: Memory
): Promise<void> {
  const found = new Map<Server, Sample[]>(servers.map(server => [server, []]))
  const lists = new Map<Server, string>()
  for (const server of servers) lists.set(server, await listRequests(folder, server, shape, pages))
  const seconds = bench.size(30, 1)
  if (!bench.quick) for (const [server, list] of lists) await runWrk(server, list, 5)
  for (let turn = 0; turn < bench.size(TURNS, 1); turn++) {
    for (const [server, samples] of found) {
      const watched = server.name === 'millrace' ? watchMemory(server, memory) : undefined
      const cpu = await cpuOf(server)
      const [load, syncs] = await Promise.all([
        runWrk(server, lists.get(server) as string, seconds),
        beside(seconds)
      ])
      const cpuMicroseconds = ((await cpuOf(server)) - cpu) / load.requests
      await watched?.()
      bench.check(`errors of wrk, ${server.name}`, load.errors, 0)
      bench.check(`syncs beside it, ${server.name}`, syncs > 0, true)
      await checkPages(bench, server, shape, pages)
      samples.push({ ...load, cpuMicroseconds, syncs })
      bench.log(`${shape}-${server.name}: ${load.rate.toFixed(0)} requests/s, p99 ${load.p99} ms`)
    }
  }
  const rateOf = (samples: readonly Sample[]) => median(samples.map(({ rate }) => rate))
  const nginx = [...found].find(([{ name }]) => name === 'nginx')?.[1]
  for (const [{ name }, samples] of found) {
    const middle = (key: keyof Sample) => median(samples.map(sample => sample[key]))
    const rates = samples.map(({ rate }) => rate)
    bench.row(`${shape}-${name}`, 'requests/s', rates, {
      'p50 ms': middle('p50'),
      'p99 ms': middle('p99'),
      'bytes an answer': Math.round(middle('bytes')),
      'µs CPU a request': middle('cpuMicroseconds'),
      'syncs beside': middle('syncs'),
      ...(nginx === undefined ? {} : { 'times nginx': rateOf(samples) / rateOf(nginx) })
    })
  }
}

/** Whether each page is what it was when it was first asked for, or 304. */
async function checkPages(bench: Bench, server: Server, shape: Shape, pages: readonly Page[]): Promise<void> {
  let right = 0
  for (const { path, ...bodies } of pages) {
    const first = await get(server, path, shape)
    if (shape !== 'unchanged') {
      if (first.status === 200 && first.body.equals(bodies[shape])) right++
      continue
    }
    const again = await get(server, path, shape, { 'if-none-match': String(first.headers.etag) })
    if (again.status === 304 && again.body.length === 0) right++
  }
  bench.check(`pages that are right, ${shape}, ${server.name}`, right, pages.length)
}

async function get({ origin }: Server, path: string, shape: Shape, more: Record<string, string> = {}) {
  const coding = shape === 'gzip' ? 'gzip' : 'identity'
  const headers = { accept: ACCEPT, 'accept-encoding': coding, ...more }
  const answer = await request(origin + path, { headers })
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.from(await answer.body.arrayBuffer())
  }
}

/** None of the projects that are released. */
async function readPages(server: Server, count: number): Promise<Page[]> {
  const pages: Page[] = []
  for (let number = 0; number < count; number++) {
    const path = `/simple/${madeUpName(number * 10 + 3)}/`
    const { body: identity } = await get(server, path, 'identity')
    const { body: gzip } = await get(server, path, 'gzip')
    pages.push({ path, identity, gzip })
  }
  return pages
}

/** The requests of a case, as the script of wrk reads them. */
async function listRequests(
  folder: string,
  server: Server,
  shape: Shape,
  pages: readonly Page[]
): Promise<string> {
  const lines: string[] = []
  for (const { path } of pages) {
    const etag = shape === 'unchanged' ? (await get(server, path, shape)).headers.etag : ''
    lines.push([path, shape === 'gzip' ? 'gzip' : 'identity', etag].join('\t'))
  }
  const file = join(folder, `${shape}-${server.name}.txt`)
  await writeFile(file, lines.join('\n'))
  return file
}

const SCRIPT = `
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local path, coding, etag = line:match('^(.-)\\t(.-)\\t(.*)$')
    wrk.headers['Accept'] = '${ACCEPT}'
    wrk.headers['Accept-Encoding'] = coding
    if etag ~= '' then wrk.headers['If-None-Match'] = etag end
    requests[#requests + 1] = wrk.format('GET', path)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('result {"requests":%d,"microseconds":%d,"bytes":%d,"errors":%d,"p50":%g,"p99":%g}\\n',
    summary.requests, summary.duration, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`

/** Asks for what a file lists, again and again. */
async function runWrk({ origin }: Server, list: string, seconds: number) {
  const script = `${list}.lua`
  await writeFile(script, SCRIPT)
  const { stdout } = await promisify(execFile)('wrk', [
    ...['--threads', '1', '--connections', String(CLIENTS), '--duration', `${seconds}s`],
    ...['--timeout', '10s', '--script', script, origin, '--', list]
  ])
  const { requests, microseconds, bytes, errors, p50, p99 } = JSON.parse(
    /^result (.*)$/m.exec(stdout)?.[1] as string
  ) as Record<'requests' | 'microseconds' | 'bytes' | 'errors' | 'p50' | 'p99', number>
  return { requests, errors, p50, p99, rate: (requests * 1e6) / microseconds, bytes: bytes / requests }
}

async function startMillrace(folder: string, catalog: string): Promise<Server> {
  const args = ['serve', '--port', '0', '--json', '--catalog', catalog, '--store', join(folder, 'store')]
  const child = spawn(process.execPath, [...process.execArgv, CLI, ...args], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const { url } = JSON.parse(String(line)) as { url: string }
  return { name: 'millrace', origin: new URL(url).origin, child }
}

/** nginx as docs/serve.md has it, with the pages as files. */
async function startNginx(folder: string, pages: readonly Page[]): Promise<Server> {
  const root = join(folder, 'www')
  for (const { path, identity, gzip } of pages) {
    await mkdir(join(root, path), { recursive: true })
    await writeFile(join(root, path, 'index.json'), identity)
    await writeFile(join(root, path, 'index.json.gz'), gzip)
  }
  const port = await freePort()
  const configuration = join(folder, 'nginx.conf')
  await writeFile(
    configuration,
    `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  # As many as there are: connections are not what is measured.
  keepalive_requests 100000000;
  types { application/vnd.pypi.simple.v1+json json; }
  server {
    listen 127.0.0.1:${port};
    root ${root};
    gzip_static on;
    location /simple/ {
      index index.json;
      add_header Vary Accept;
      add_header Cache-Control no-cache;
    }
  }
}
`
  )
  const child = spawn('nginx', ['-c', configuration, '-e', join(folder, 'nginx.log')], { stdio: 'inherit' })
  const origin = `http://127.0.0.1:${port}`
  for (let tries = 0; ; tries++) {
    try {
      await (await request(origin)).body.dump()
      return { name: 'nginx', origin, child }
    } catch (error) {
      if (child.exitCode !== null || tries === 100) throw error
      await sleep(50)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function isThere(command: string): Promise<boolean> {
  try {
    await promisify(execFile)(command, ['-v'])
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

/** µs of CPU that a process has taken, where the system tells (Linux, in ticks of 10 ms). */
async function cpuOf({ child }: Server): Promise<number> {
  const text = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '')
  const [user, system] = text
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) * 10_000
}

/** Notes the memory of a process once a second of load, until it is told to stop. */
function watchMemory({ child }: Server, memory: Memory): () => Promise<void> {
  const stop = new AbortController()
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await sleep(1000, undefined, { signal: stop.signal }).catch(() => {})
      const text = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
      const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(text) ?? []
      if (kibibytes !== undefined) memory.push([memory.length + 1, (Number(kibibytes) * 1024) / 1e6])
    }
  })()
  return async () => {
    stop.abort()
    await watching
  }
}

function reportMemory(bench: Bench, memory: Memory): void {
  if (memory.length === 0) return
  const megabytes = memory.map(([, value]) => value)
  const third = Math.ceil(megabytes.length / 3)
  const [first, last] = [megabytes.slice(0, third), megabytes.slice(-third)]
  bench.row('memory-first-third', 'MB', first)
  bench.row('memory-last-third', 'MB', last)
  bench.atMost(
    'memory of the server, last third of all samples, times the first',
    median(last) / median(first),
    GROWTH
  )
  bench.charts.push({
    suffix: 'memory',
    title: 'Memory of the server under load',
    xLabel: 'seconds of load',
    yLabel: 'MB resident',
    series: [{ label: 'millrace serve', points: memory }]
  })
}
