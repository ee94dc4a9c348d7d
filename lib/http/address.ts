/**
 * Which addresses a URL from a document may lead to. An index on the public internet has no business sending
 * its readers to a loopback or private address (server-side request forgery).
 */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { UrlError } from '../errors.js'
import { redactUrl } from './redact.js'

/** Whether an IP address is one that everybody on the internet can reach. */
export function isPublicAddress(address: string): boolean {
  // `process` undoes IPv4 written as IPv6, which else would hide a private address.
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

/** Whether a host, as a URL has it, is certainly not public: a private address or a name for this machine. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (isIP(host) !== 0) return !isPublicAddress(host)
  return /(^|\.)(localhost|local|internal|localdomain)$/i.test(host)
}

/**
 * The URL, if it may be fetched.
 * @throws {@link UrlError} for what is no URL, another scheme than http and https, or a private host where
 * `allowPrivate` is false
 */
export function checkUrl(url: string | URL, allowPrivate: boolean): URL {
  if (!URL.canParse(String(url))) throw new UrlError(redactUrl(url), 'it is not an absolute URL')
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new UrlError(redactUrl(url), `its scheme is ${parsed.protocol.slice(0, -1)}, not http or https`)
  }
  if (!allowPrivate && isPrivateHost(parsed.hostname)) {
    throw new UrlError(redactUrl(url), 'it leads to a loopback or private address, and the index is public')
  }
  return parsed
}

/**
 * Resolves names as `dns.lookup`, and refuses private addresses: a public name may point to one. For the
 * `connect` option of an undici dispatcher.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    const refused = error ?? privateAddress(hostname, addresses)
    if (refused !== undefined) return callback(refused, '', 4)
    if (options.all === true) return callback(null, addresses)
    const [first] = addresses
    callback(null, first?.address ?? '', first?.family ?? 4)
  })
}

function privateAddress(
  hostname: string,
  addresses: readonly { address: string }[]
): NodeJS.ErrnoException | undefined {
  const found = addresses.find(({ address }) => !isPublicAddress(address))
  if (found === undefined) return undefined
  return Object.assign(new Error(`${hostname} leads to the private address ${found.address}`), {
    code: 'EPRIVATE'
  })
}
