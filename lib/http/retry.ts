/**
 * The one retry policy: what is tried again, how often, and after which wait. Only GET requests are made, so
 * every request may be repeated.
 *
 * | what failed                                              | tried again |
 * | -------------------------------------------------------- | ----------- |
 * | status 408, 425, 429, 500, 502, 503, 504                 | yes, `Retry-After` obeyed |
 * | any other status                                         | no |
 * | no connection, connection lost, name not resolved         | yes, but for bad certificates |
 * | connecting, headers or body too slow                     | yes |
 * | body cut off, of wrong size or digest, or not decodable  | yes |
 * | body too large, redirect refused, URL refused             | no: the same would come again |
 * | temporary file not writable                              | no: not the server's fault |
 */
import {
  DigestError,
  type DownloadError,
  EncodingError,
  NetworkError,
  SizeError,
  StatusError,
  TimeoutError
} from '../errors.js'
import { finite, integer } from '../options.js'

/** Names and meanings as undici's `RetryHandler` has them; times in milliseconds. */
export interface RetryOptions {
  /** Requests after the first one. Whole number of 0 or more. @defaultValue 3 */
  readonly maxRetries?: number | undefined
  /** Upper bound of the first wait. @defaultValue 500 (undici's) */
  readonly minTimeout?: number | undefined
  /** Upper bound of any wait, one asked for by `Retry-After` included. @defaultValue 30,000 (undici's) */
  readonly maxTimeout?: number | undefined
  /** Growth of the bound from one wait to the next. 1 or more. @defaultValue 2 (undici's) */
  readonly timeoutFactor?: number | undefined
  /** Obey `Retry-After` (RFC 9110, section 10.2.3). @defaultValue true */
  readonly retryAfter?: boolean | undefined
}

export type RetryPolicy = { readonly [K in keyof RetryOptions]-?: NonNullable<RetryOptions[K]> }

export const RETRIED_STATUS_CODES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Statuses by which a server asks for fewer requests: they hold back the whole origin. */
export const SLOW_DOWN_STATUS_CODES: ReadonlySet<number> = new Set([429, 503])

/** Causes of a `NetworkError` that a second request cannot mend: what is wrong lies in a certificate or with us. */
export const NOT_RETRIED_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_INVALID_URL',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_PRX_TLS'
])

/** Fills in the defaults. @throws {@link OptionError} */
export function retryPolicy({
  maxRetries = 3,
  minTimeout = 500,
  maxTimeout = 30_000,
  timeoutFactor = 2,
  retryAfter = true
}: RetryOptions = {}): RetryPolicy {
  integer('maxRetries', maxRetries, 0)
  finite('minTimeout', minTimeout, 0, 2 ** 31 - 1)
  finite('maxTimeout', maxTimeout, 0, 2 ** 31 - 1)
  finite('timeoutFactor', timeoutFactor, 1)
  return { maxRetries, minTimeout, maxTimeout, timeoutFactor, retryAfter }
}

/** Whether the same request may have another outcome. */
export function isRetried(error: DownloadError): boolean {
  if (error instanceof StatusError) return RETRIED_STATUS_CODES.has(error.statusCode)
  if (error instanceof NetworkError) {
    return !NOT_RETRIED_CODES.has(String((error.cause as NodeJS.ErrnoException | undefined)?.code))
  }
  return (
    error instanceof TimeoutError ||
    error instanceof SizeError ||
    error instanceof DigestError ||
    error instanceof EncodingError
  )
}

/**
 * How long to wait before retry number `retry` (the first is 0): what `Retry-After` asks for, else
 * exponential backoff with full jitter, so that many clients do not come back at once.
 */
export function retryDelay(
  policy: RetryPolicy,
  error: DownloadError,
  retry: number,
  random = Math.random
): number {
  const asked = policy.retryAfter && error instanceof StatusError ? retryAfterMs(error.retryAfter) : undefined
  if (asked !== undefined) return Math.min(asked, policy.maxTimeout)
  return random() * Math.min(policy.maxTimeout, policy.minTimeout * policy.timeoutFactor ** retry)
}

/** Reads `Retry-After`, seconds or a date; `undefined` where it is absent or neither. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  // V8 reads a date out of almost anything; an HTTP date begins with the day of the week.
  const date = /^\s*[a-z]{3}/i.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
