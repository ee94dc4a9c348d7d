/**
 * The dispatchers that downloads go through.
 */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { OptionError } from '../errors.js'
import { integer } from '../options.js'
import { publicLookup } from './address.js'
import { redactUrl } from './redact.js'

/** Sent as `User-Agent`. */
export const USER_AGENT = `millrace/${(JSON.parse(readFileSync(packageJson(), 'utf8')) as { version: string }).version}`

/** Two folders up from the source, and three from what is compiled. */
function packageJson(): URL {
  const source = new URL('../../package.json', import.meta.url)
  /* c8 ignore next -- tests run from the source */
  return existsSync(source) ? source : new URL('../../../package.json', import.meta.url)
}

const CONNECT_TIMEOUT_MS = 10_000

export interface DispatcherOptions {
  /**
   * The proxy for all requests, `http:`, `https:` or `socks5:`, with its credentials; `true` for what the environment
   * says in `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`; `false` for none. `NO_PROXY` is heeded in both cases.
   * @defaultValue false
   */
  readonly proxy?: boolean | string | URL | undefined
  /** File of certificates (PEM) that are trusted besides those that Node trusts. */
  readonly ca?: string | undefined
  /** File of our certificate and what leads from it to its authority (PEM), for servers that ask for one. */
  readonly clientCert?: string | undefined
  /** File of its key (PEM). @defaultValue the one of `clientCert` */
  readonly clientKey?: string | undefined
  /** Whether names may lead to loopback and private addresses; a proxy itself may always. @defaultValue true */
  readonly allowPrivate?: boolean | undefined
  /** Connections to one origin. Whole number of 1 or more. @defaultValue as many as there are requests in flight */
  readonly connections?: number | undefined
  /** Time until a connection is there, in ms. @defaultValue 10,000 (undici's) */
  readonly connectTimeout?: number | undefined
  /** Speak HTTP/2 to servers that can. @defaultValue false (undici's) */
  readonly allowH2?: boolean | undefined
}

/**
 * Makes a dispatcher, which the caller closes.
 * @throws {@link OptionError}, also for a file that cannot be read or is not what it should be
 */
export function createDispatcher({
  proxy = false,
  ca,
  clientCert,
  clientKey = clientCert,
  allowPrivate = true,
  connections,
  connectTimeout = CONNECT_TIMEOUT_MS,
  allowH2 = false
}: DispatcherOptions = {}): Dispatcher {
  integer('connectTimeout', connectTimeout, 0, 2 ** 31 - 1)
  if (connections !== undefined) integer('connections', connections, 1)
  if (clientKey !== undefined && clientCert === undefined)
    throw new OptionError('clientKey', 'given with clientCert', 'given alone')
  const secureContext = createContext(ca, clientCert, clientKey)
  const tls = { timeout: connectTimeout, ...(secureContext && { secureContext }) }
  const options = {
    allowH2,
    pipelining: 1,
    ...(connections !== undefined && { connections }),
    connect: { ...tls, ...(!allowPrivate && { lookup: publicLookup }) }
  }
  if (proxy === false) return new Agent(options)
  const { env } = process
  const all = proxy === true ? (env.all_proxy ?? env.ALL_PROXY) : String(proxy)
  const [http, https] =
    proxy === true
      ? [env.http_proxy ?? env.HTTP_PROXY ?? all, env.https_proxy ?? env.HTTPS_PROXY ?? all]
      : [all, all]
  const proxies = { httpProxy: proxyUrl(http), httpsProxy: proxyUrl(https) }
  const socks = Object.values(proxies).some(url => url.startsWith('socks'))
  const proxyContext = createContext(ca, undefined, undefined)
  return new EnvHttpProxyAgent({
    ...options,
    ...proxies,
    // Plain requests go to the proxy itself, as other clients do it: many proxies tunnel to port 443 alone.
    proxyTunnel: false,
    requestTls: tls,
    // undici would take it as a sign to speak TLS to a SOCKS proxy.
    ...(!socks && {
      proxyTls: { timeout: connectTimeout, ...(proxyContext && { secureContext: proxyContext }) }
    })
  })
}

/** Empty means none to undici, and to the environment. */
function proxyUrl(proxy: string | undefined): string {
  if (proxy === undefined || proxy === '') return ''
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined
  if (url !== undefined && ['http:', 'https:', 'socks5:', 'socks:'].includes(url.protocol)) return proxy
  throw new OptionError('proxy', 'an http:, https: or socks5: URL', redactUrl(proxy))
}

/** One context for all connections: Node would read all certificates anew for each. */
function createContext(
  ca: string | undefined,
  clientCert: string | undefined,
  clientKey: string | undefined
): SecureContext | undefined {
  if (ca === undefined && clientCert === undefined) return undefined
  const trusted = ca === undefined ? undefined : [...rootCertificates, readCertificates('ca', ca)]
  const cert = clientCert === undefined ? undefined : readCertificates('clientCert', clientCert)
  const key = clientKey === undefined ? undefined : readPem('clientKey', clientKey)
  try {
    return createSecureContext({ ca: trusted, cert, key })
  } catch (error) {
    const given = Object.entries({ ca, clientCert, clientKey }).filter(([, file]) => file !== undefined)
    throw new OptionError(
      given.map(([name]) => name).join(' and '),
      'certificates and the key that belongs to them',
      `${given.map(([, file]) => file).join(' and ')} (${(error as Error).message})`
    )
  }
}

function readPem(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new OptionError(name, 'a file that can be read', `${file} (${(error as Error).message})`)
  }
}

function readCertificates(name: string, file: string): string {
  const content = readPem(name, file)
  try {
    // OpenSSL would pass over what is no certificate, and then trust nothing, without a word.
    new X509Certificate(content)
    return content
  } catch (error) {
    throw new OptionError(name, 'a file of certificates in PEM', `${file} (${(error as Error).message})`)
  }
}

let shared: { readonly open: Dispatcher; readonly public: Dispatcher } | undefined

/**
 * One dispatcher for the whole process, so that all downloads share their connections. It keeps no process alive.
 * Where `allowPrivate` is false, it connects to no loopback or private address, whatever a name resolves to.
 */
export function sharedDispatcher(allowPrivate: boolean): Dispatcher {
  shared ??= { open: createDispatcher(), public: createDispatcher({ allowPrivate: false }) }
  return allowPrivate ? shared.open : shared.public
}
