/**
 * `millrace worker`: takes shards of the syncs of a cluster.
 */
import { type Command, Option } from 'commander'
import type { Dispatcher } from 'undici'
import { type WorkEvent, work } from '../../streams/index.js'
import { applyConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { addNetworkOptions, type NetworkFlags, network } from '../network.js'
import { catalogCommand, concurrencyOf, positive, queueOption, wholeNumber } from '../options.js'

interface WorkerFlags extends Omit<NetworkFlags, 'indexUrl'> {
  readonly indexUrl?: string
  readonly catalog: string
  readonly store: string
  readonly queue?: string
  readonly concurrency?: number | 'auto'
  readonly downloadConcurrency?: number | 'auto'
  readonly concurrencyPerOrigin?: number
  readonly lostAfter: number
  readonly json?: boolean
}

export function workerCommand(): Command {
  return addNetworkOptions(catalogCommand('worker', { repository: false }))
    .description('Take shards of `millrace sync --cluster`, until it is told to end.')
    .addOption(queueOption())
    .addOption(
      new Option(
        '--store <location>',
        'where files go: a folder that all workers share, or s3://BUCKET/PREFIX'
      ).default('millrace-store')
    )
    .option('--index-url <url>', 'index, with credentials that are for it; which one to read the sync says')
    .addOption(
      new Option(
        '--concurrency <n>',
        'documents in flight, or auto (default: what the sync was given)'
      ).argParser(concurrencyOf)
    )
    .addOption(
      new Option(
        '--download-concurrency <n>',
        'files in flight, or auto (default: what the sync was given)'
      ).argParser(concurrencyOf)
    )
    .addOption(
      new Option(
        '--concurrency-per-origin <n>',
        'requests of this worker in flight to one host (default: what the sync was given)'
      ).argParser(wholeNumber(1))
    )
    .addOption(
      new Option('--lost-after <seconds>', 'a worker not heard of for so long has lost its shard to another')
        .default(30)
        .argParser(positive)
    )
    .action(async (_flags, command: Command) => {
      applyConfig(command)
      await run(command.opts<WorkerFlags>())
    })
}

async function run(flags: WorkerFlags): Promise<void> {
  const { catalog, queue, store, concurrency, downloadConcurrency, concurrencyPerOrigin, json } = flags
  const networks = new Map<string, ReturnType<typeof network>>()
  const interrupt = new AbortController()
  const stop = () => {
    process.stderr.write('millrace: giving the shard back; once more to stop at once\n')
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(EXIT.interrupted))
    interrupt.abort()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const report = await work({
      ...{ catalog, queue, store, lostAfterMs: flags.lostAfter * 1000, signal: interrupt.signal },
      own(index) {
        let found = networks.get(index.href)
        if (found === undefined) {
          found = network({ ...flags, indexUrl: urlFor(index, flags.indexUrl) })
          networks.set(index.href, found)
        }
        return {
          ...found,
          ...(concurrencyPerOrigin === undefined ? {} : { origins: { concurrencyPerOrigin } }),
          ...(concurrency === undefined ? {} : { concurrency }),
          ...(downloadConcurrency === undefined ? {} : { downloadConcurrency })
        }
      },
      onEvent: event => process.stderr.write(`${eventLine(event)}\n`),
      onError: error => process.stderr.write(`millrace: the queue: ${error.message}\n`)
    })
    const { shards, commits, counts } = report
    const told = `${shards} shards done, ${commits} versions made: ${counts.projects.fetched} projects fetched, ${counts.packages.kept} packages kept, ${counts.files.downloaded} files downloaded`
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${told}\n`)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    const dispatchers = Array.from(networks.values(), ({ dispatcher }): Dispatcher => dispatcher)
    await Promise.all(dispatchers.map(dispatcher => dispatcher.close()))
  }
}

/** The URL with credentials where it is for the same origin; those of another origin are nobody's business. */
function urlFor(index: URL, given: string | undefined): string {
  const own = given !== undefined && URL.canParse(given) && new URL(given).origin === index.origin
  return own ? given : index.href
}

function eventLine({ repository, run, shard, outcome, error }: WorkEvent): string {
  const what = shard === undefined ? 'commit' : `shard ${shard}`
  const why = error === undefined ? '' : `: ${error.message.replace(/\s*\n\s*/g, ' ')}`
  return `millrace: ${[repository, `run ${run},`].filter(Boolean).join(' ')} ${what} ${outcome}${why}`
}
