/**
 * The dispatchers that downloads go through when a caller gives none.
 */
import { readFileSync } from 'node:fs'
import { Agent, type Dispatcher } from 'undici'
import { publicLookup } from './address.js'

/** Sent as `User-Agent`. */
export const USER_AGENT = `millrace/${(JSON.parse(readFileSync(packageJson(), 'utf8')) as { version: string }).version}`

/** From `dist/lib/http` as from `lib/http`: the package's own file is the first one upwards. */
function packageJson(): URL {
  const root = import.meta.url.includes('/dist/lib/http/') ? '../../../package.json' : '../../package.json'
  return new URL(root, import.meta.url)
}

const options = { connect: { timeout: 10_000 }, pipelining: 1 } satisfies Agent.Options

let shared: { readonly open: Dispatcher; readonly public: Dispatcher } | undefined

/**
 * One dispatcher for the whole process, so that all downloads share their connections. It keeps no process alive.
 * Where `allowPrivate` is false, it connects to no loopback or private address, whatever a name resolves to.
 */
export function sharedDispatcher(allowPrivate: boolean): Dispatcher {
  shared ??= {
    open: new Agent(options),
    public: new Agent({ ...options, connect: { ...options.connect, lookup: publicLookup } })
  }
  return allowPrivate ? shared.open : shared.public
}
