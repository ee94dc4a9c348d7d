/**
 * How requests are made: the options of whoever downloads, and their defaults.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dispatcher } from 'undici'
import { finite, integer } from '../options.js'
import { sharedDispatcher, USER_AGENT } from './agent.js'
import type { DownloadSettings } from './download.js'
import { type OriginOptions, Origins } from './origins.js'
import { type RetryOptions, retryPolicy } from './retry.js'

export interface RequestOptions extends RetryOptions {
  /** Where requests go. @defaultValue one undici `Agent` for the process */
  readonly dispatcher?: Dispatcher | undefined
  /** Sent with every request, to whatever origin; credentials belong into `authorization`. @defaultValue `user-agent: millrace/VERSION` */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The `Authorization` header for an origin, if it has one; no other origin gets it. */
  readonly authorization?: ((origin: string) => string | undefined) | undefined
  /** Limits for each origin; an `Origins` is shared between downloaders. @defaultValue none */
  readonly origins?: Origins | OriginOptions | undefined
  /** Digest to compute of every body, as `node:crypto` names it. @defaultValue only what an object states */
  readonly digest?: 'sha256' | undefined
  /** Folder for temporary files; made when it is needed. @defaultValue one of the user's in the system's */
  readonly directory?: string | undefined
  /** Bytes of a body kept in memory; a larger one goes to a file. @defaultValue 1 MiB */
  readonly maxMemoryBytes?: number | undefined
  /** Bytes of a body, decoded. @defaultValue 8 GiB */
  readonly maxBodyBytes?: number | undefined
  /** Redirects followed for one request. @defaultValue 10 */
  readonly maxRedirects?: number | undefined
  /** Time until an answer's headers are there, in ms; 0 for no limit. @defaultValue 60,000 */
  readonly headersTimeout?: number | undefined
  /** Time between two chunks of a body, in ms; 0 for no limit. @defaultValue 30,000 */
  readonly bodyTimeout?: number | undefined
  /**
   * Time for one object, in ms. After it nothing is tried again; a body that still comes is given up with its next
   * bytes, or when none came for as long as the request had when it was made. @defaultValue 3,600,000 (an hour)
   */
  readonly deadlineMs?: number | undefined
  /** The least pace of a body, looked at every 30 s. @defaultValue 1,000 */
  readonly minBytesPerSecond?: number | undefined
  /** Whether URLs may lead to loopback and private addresses. @defaultValue true */
  readonly allowPrivate?: boolean | undefined
}

const MIB = 1024 * 1024

/** Longer times overflow Node's timers. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** By user, since a folder in the system's has one owner. */
const TEMPORARY_DIRECTORY = join(
  tmpdir(),
  /* c8 ignore next -- Windows numbers no users, and gives each a folder */
  `millrace-${process.getuid?.() ?? 'user'}`
)

/** Checks the options and fills in the defaults. @throws {@link OptionError} */
export function downloadSettings({
  headers,
  authorization,
  origins,
  digest,
  directory = TEMPORARY_DIRECTORY,
  maxMemoryBytes = MIB,
  maxBodyBytes = 8 * 1024 * MIB,
  maxRedirects = 10,
  headersTimeout = 60_000,
  bodyTimeout = 30_000,
  deadlineMs = 3_600_000,
  minBytesPerSecond = 1000,
  allowPrivate = true,
  dispatcher = sharedDispatcher(allowPrivate),
  maxRetries,
  minTimeout,
  maxTimeout,
  timeoutFactor,
  retryAfter
}: RequestOptions): DownloadSettings {
  integer('maxMemoryBytes', maxMemoryBytes, 0)
  integer('maxBodyBytes', maxBodyBytes, 0)
  integer('maxRedirects', maxRedirects, 0)
  integer('headersTimeout', headersTimeout, 0, MAX_TIMEOUT_MS)
  integer('bodyTimeout', bodyTimeout, 0, MAX_TIMEOUT_MS)
  finite('deadlineMs', deadlineMs, 1, MAX_TIMEOUT_MS)
  finite('minBytesPerSecond', minBytesPerSecond, 0)
  return {
    dispatcher,
    origins: origins instanceof Origins ? origins : new Origins(origins),
    retry: retryPolicy({ maxRetries, minTimeout, maxTimeout, timeoutFactor, retryAfter }),
    headers: { 'user-agent': USER_AGENT, ...lowerCased(headers) },
    authorization,
    digest,
    directory,
    maxMemoryBytes,
    maxBodyBytes,
    maxRedirects,
    headersTimeout,
    bodyTimeout,
    deadlineMs,
    minBytesPerSecond,
    allowPrivate
  }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
