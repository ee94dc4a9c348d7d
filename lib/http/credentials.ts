/**
 * Who we are for whom: `Authorization` headers, each bound to the origin it is for.
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OptionError } from '../errors.js'
import { httpUrl, text } from '../options.js'

/** Gives the `Authorization` header for an origin such as `https://example.org`, if it has one. */
export type Authorization = (origin: string) => string | undefined

export interface CredentialOptions {
  /** Whom the credentials below are for: its origin. Those that it carries itself count where none are given. */
  readonly url?: string | URL | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** A bearer token (RFC 6750), in place of name and password. */
  readonly token?: string | undefined
  /** Whether other hosts are looked up in a netrc file, or which file that is. @defaultValue false */
  readonly netrc?: boolean | string | undefined
}

/**
 * Makes the `authorization` of a {@link Downloader}. What is given for `url` goes to its origin; netrc's entries
 * go to their hosts, of any port, over any scheme, as pip sends them.
 * @throws {@link OptionError}
 */
export function createAuthorization({
  url,
  username,
  password,
  token,
  netrc = false
}: CredentialOptions): Authorization {
  const target = url === undefined ? undefined : httpUrl('url', url)
  if (target === undefined && (username ?? password ?? token) !== undefined)
    throw new OptionError('url', 'given with credentials, which are for one origin', 'undefined')
  const own = token === undefined ? basicHeader(username, password) : `Bearer ${text('token', token)}`
  const header = own ?? (target && basicAuthorization(target))
  const hosts = netrc === false ? undefined : readNetrc(netrc === true ? undefined : netrc)
  return origin => {
    if (header !== undefined && origin === target?.origin) return header
    const entry = hosts?.get(new URL(origin).hostname)
    return entry && basicHeader(entry.login, entry.password)
  }
}

/** `Authorization` for the credentials that a URL carries (RFC 7617), if it does. */
export function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  return basicHeader(decoded(url.username), decoded(url.password))
}

/** One host's entry in a netrc file. */
export interface NetrcEntry {
  readonly login: string
  readonly password: string
}

/**
 * Reads `file`, or the one that `NETRC` names, or `.netrc` or `_netrc` at home; nothing where there is none.
 * The entry `default` is left out: it would give its password to every host that a document names.
 * @throws {@link OptionError} when a named file cannot be read
 */
export function readNetrc(
  file: string | undefined = process.env.NETRC,
  home = homedir()
): ReadonlyMap<string, NetrcEntry> {
  if (file !== undefined && file !== '') {
    try {
      return parseNetrc(readFileSync(file, 'utf8'))
    } catch (error) {
      throw new OptionError('netrc', 'a file that can be read', `${file} (${(error as Error).message})`)
    }
  }
  for (const name of ['.netrc', '_netrc']) {
    try {
      return parseNetrc(readFileSync(join(home, name), 'utf8'))
    } catch {
      // Most people have none.
    }
  }
  return new Map()
}

/** Hosts and their entries, the first one of each. @see https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html */
export function parseNetrc(content: string): ReadonlyMap<string, NetrcEntry> {
  const hosts = new Map<string, NetrcEntry>()
  let entry = { login: '', password: '' }
  // A macro ends at the first empty line. A line that begins with `#` is a comment; a password may begin with one.
  const words = [
    ...content
      .replace(/\r\n/g, '\n')
      .replace(/(^|\s)macdef\s[\s\S]*?(\n\n|$)/g, '$1')
      .matchAll(/^[ \t]*#.*$|"((?:[^"\\]|\\.)*)"|(\S+)/gm)
  ].flatMap(([, quoted, plain]) => quoted?.replace(/\\(.)/g, '$1') ?? plain ?? [])
  for (let at = 0; at < words.length; at++) {
    switch (words[at]) {
      case 'machine': {
        entry = { login: '', password: '' }
        const host = String(words[++at]).toLowerCase()
        if (!hosts.has(host)) hosts.set(host, entry)
        break
      }
      case 'default':
        entry = { login: '', password: '' }
        break
      case 'login':
      case 'user':
        entry.login = String(words[++at])
        break
      case 'password':
        entry.password = String(words[++at])
        break
      case 'account':
        at++
        break
    }
  }
  return hosts
}

function basicHeader(username: string | undefined, password: string | undefined): string | undefined {
  if (username === undefined && password === undefined) return undefined
  return `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`
}

/** A lone `%` in a password is one. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
