/**
 * How the command line reaches an index: through the proxies of the environment, with the certificates that it
 * was given, and with the credentials of the URL, of `MILLRACE_TOKEN` and of netrc, each for its own origin.
 */
import type { Command } from 'commander'
import type { Dispatcher } from 'undici'
import { isPrivateHost } from '../lib/http/address.js'
import { createDispatcher } from '../lib/http/agent.js'
import { type Authorization, createAuthorization } from '../lib/http/credentials.js'
import { httpUrl } from '../lib/options.js'

export interface NetworkFlags {
  readonly indexUrl: string
  readonly ca?: string
  readonly clientCert?: string
  readonly clientKey?: string
}

/** Adds the options of {@link network} to a command. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option('--ca <file>', 'certificates (PEM) to trust besides the usual ones')
    .option('--client-cert <file>', 'certificate (PEM) to show to servers that ask for one')
    .option('--client-key <file>', 'its key (PEM), where it is not in the same file')
}

/** The same for a server, which fetches files for repositories of several indexes; the caller closes both. */
export function serverNetwork({
  indexUrl,
  ca,
  clientCert,
  clientKey
}: Omit<NetworkFlags, 'indexUrl'> & { readonly indexUrl: string | undefined }): {
  readonly dispatchers: { readonly open: Dispatcher; readonly guarded: Dispatcher }
  readonly authorization: Authorization
} {
  const token = indexUrl === undefined ? undefined : process.env.MILLRACE_TOKEN
  const authorization = createAuthorization({ url: indexUrl, token, netrc: true })
  const dispatcher = (allowPrivate: boolean) =>
    createDispatcher({ proxy: true, ca, clientCert, clientKey, allowPrivate })
  return { dispatchers: { open: dispatcher(true), guarded: dispatcher(false) }, authorization }
}

/** What the downloads of a command need; the caller closes the dispatcher. @throws {@link OptionError} */
export function network({ indexUrl, ca, clientCert, clientKey }: NetworkFlags): {
  readonly dispatcher: Dispatcher
  readonly authorization: Authorization
} {
  const { hostname } = httpUrl('indexUrl', indexUrl)
  const authorization = createAuthorization({ url: indexUrl, token: process.env.MILLRACE_TOKEN, netrc: true })
  const allowPrivate = isPrivateHost(hostname)
  return {
    dispatcher: createDispatcher({ proxy: true, ca, clientCert, clientKey, allowPrivate }),
    authorization
  }
}
