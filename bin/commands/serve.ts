/**
 * `millrace serve`: the index, for pip, uv and other mirrors.
 */
import { once } from 'node:events'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { Catalog } from '../../lib/catalog/catalog.js'
import { CONNECTIONS, createServer, type Policy } from '../../lib/serve/server.js'
import { applyConfig } from '../config.js'
import { addNetworkOptions, type NetworkFlags, serverNetwork } from '../network.js'
import { catalogCommand } from '../options.js'
import { writeLine } from '../output.js'

interface ServeFlags extends Omit<NetworkFlags, 'indexUrl'> {
  readonly catalog: string
  readonly store: string
  readonly repository: string
  readonly policy?: Policy
  readonly host: string
  readonly port: number
  readonly json?: boolean
}

export function serveCommand(): Command {
  const command = catalogCommand('serve')
    .description('Serve the index to pip, uv and other mirrors, until it is told to stop (SIGINT, SIGTERM).')
    .addOption(new Option('--store <dir>', 'folder for the files').default('millrace-store'))
    .addOption(
      new Option(
        '--policy <policy>',
        'files that the store has not: keep them at their first request, or pass them through; as the last sync if not given'
      ).choices(['on-demand', 'immediate', 'streamed'])
    )
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(new Option('--port <n>', 'port to listen on; 0 for a free one').default(8000).argParser(port))
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      await serve(command.opts<ServeFlags>())
    })
  return addNetworkOptions(command)
}

async function serve(flags: ServeFlags): Promise<void> {
  const { catalog: location, store, repository, policy, host, port, json } = flags
  const catalog = await Catalog.open(location, { create: false, connections: CONNECTIONS })
  const known = await catalog.index.repository(repository)
  const { indexUrl } = known === undefined ? {} : await catalog.index.lastSync(known.id)
  const { dispatchers, authorization } = serverNetwork({ ...flags, indexUrl })
  const server = await createServer({
    ...{ catalog, store, repository, policy, authorization },
    dispatcher: allowPrivate => (allowPrivate ? dispatchers.open : dispatchers.guarded),
    log: line => void process.stderr.write(`millrace: ${line}\n`)
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
    const url = `${await server.listen({ host, port })}/simple/`
    process.stderr.write(`millrace: serving ${repository} at ${url}\n`)
    if (json) await writeLine(JSON.stringify({ repository, url }))
    if (!stop.signal.aborted) await once(stop.signal, 'abort')
  } finally {
    await server.close()
    await catalog.close()
    await Promise.all(Object.values(dispatchers).map(dispatcher => dispatcher.destroy()))
  }
}

function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value)
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}
