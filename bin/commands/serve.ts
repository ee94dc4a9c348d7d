/**
 * `millrace serve`: the index, for pip, uv and other mirrors.
 */
import { once } from 'node:events'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { FastifyInstance } from 'fastify'
import { Catalog } from '../../lib/catalog/catalog.js'
import { CONNECTIONS, createServer, type Policy } from '../../lib/serve/server.js'
import { applyConfig } from '../config.js'
import { addNetworkOptions, type NetworkFlags, serverNetwork } from '../network.js'
import { catalogCommand, onlyWith, queueOption } from '../options.js'
import { writeLine } from '../output.js'

interface ServeFlags extends Omit<NetworkFlags, 'indexUrl'> {
  readonly catalog: string
  readonly store: string
  readonly repository: string
  readonly policy?: Policy
  readonly host: string
  readonly port: number
  readonly presign?: boolean
  readonly queueBoard?: boolean
  readonly queue?: string
  readonly json?: boolean
}

export function serveCommand(): Command {
  const command = catalogCommand('serve')
    .description('Serve the index to pip, uv and other mirrors, until it is told to stop (SIGINT, SIGTERM).')
    .addOption(
      new Option('--store <location>', 'where files go: a folder, or s3://BUCKET/PREFIX').default(
        'millrace-store'
      )
    )
    .addOption(
      new Option(
        '--policy <policy>',
        'files that the store has not: keep them at their first request, or pass them through; as the last sync if not given'
      ).choices(['on-demand', 'immediate', 'streamed'])
    )
    .option('--presign', 'send clients to the bucket of --store for files that are there')
    .option('--queue-board', 'show the queue of a cluster at /-/queue/')
    .addOption(queueOption())
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(new Option('--port <n>', 'port to listen on; 0 for a free one').default(8000).argParser(port))
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      onlyWith(command, 'queueBoard', 'queue')
      await serve(command.opts<ServeFlags>())
    })
  return addNetworkOptions(command)
}

async function serve(flags: ServeFlags): Promise<void> {
  const { catalog: location, store, repository, policy, presign, host, port, json } = flags
  const queueBoard = flags.queueBoard ? (flags.queue ?? location) : undefined
  const catalog = await Catalog.open(location, { create: false, connections: CONNECTIONS })
  try {
    const known = await catalog.index.repository(repository)
    if (known === undefined) say(`the catalog has no repository ${repository} yet`)
    const { indexUrl } = known === undefined ? {} : await catalog.index.lastSync(known.id)
    const { dispatchers, authorization } = serverNetwork({ ...flags, indexUrl })
    const server = await createServer({
      ...{ catalog, store, repository, policy, presign, queueBoard, authorization, log: say },
      dispatcher: allowPrivate => (allowPrivate ? dispatchers.open : dispatchers.guarded)
    })
    const stop = new AbortController()
    const onSignal = () => {
      // Those that have begun to read may read to the end; who does not want to wait for that says so.
      process.once('SIGINT', () => process.exit(0))
      process.once('SIGTERM', () => process.exit(0))
      stop.abort()
    }
    process.once('SIGINT', onSignal)
    process.once('SIGTERM', onSignal)
    try {
      const url = `${await listen(server, host, port)}/simple/`
      say(`serving ${repository} at ${url}`)
      if (json) await writeLine(JSON.stringify({ repository, url }))
      if (!stop.signal.aborted) await once(stop.signal, 'abort')
    } finally {
      await server.close()
      await Promise.all(Object.values(dispatchers).map(dispatcher => dispatcher.destroy()))
    }
  } finally {
    await catalog.close()
  }
}

function say(line: string): void {
  process.stderr.write(`millrace: ${line}\n`)
}

/** What keeps an address from being listened on. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another process',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not listen on that port',
  ENOTFOUND: 'there is no such host'
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new Error(`Cannot listen on ${host}:${port}: ${REASONS[code] ?? message}`, { cause: error })
  }
}

function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value)
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}
