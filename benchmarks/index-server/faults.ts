/**
 * Faults on purpose: by URL and attempt, or at random from a seed. Which request meets which fault depends
 * on its URL and on how often that was asked for, never on time or order.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Answer, plain } from './answer.js'
import { fraction, hashText } from './random.js'

/**
 * - `reset`: the connection is reset before any answer; `reset-headers`, `reset-body`: within those.
 * - `truncated`: ends after half of what Content-Length promised; `truncated-chunked`: within a chunked body.
 * - `corrupted`: of the right length, with a byte changed (in JSON, one that makes it unreadable).
 * - `stalled`, `stalled-body`: nothing more comes, before the headers or after half the body.
 * - `slow`: the body comes at `bytesPerSecond`.
 * - `status`: `status` with `retryAfter`.
 * - `content-type`: the right body as `contentType`; `html`: an HTML page with status 200 in its place.
 * - `bad-gzip`: gzip that does not unpack; `wrong-encoding`: plain bytes called `encoding`.
 * - `redirect-loop`: to itself; `redirect`: to `to`, an origin or a whole URL.
 * - `chunked`: right, but without Content-Length.
 */
export type FaultKind = (typeof faultKinds)[number]

export const faultKinds = [
  'reset',
  'reset-headers',
  'reset-body',
  'truncated',
  'truncated-chunked',
  'corrupted',
  'stalled',
  'stalled-body',
  'slow',
  'status',
  'content-type',
  'html',
  'bad-gzip',
  'wrong-encoding',
  'redirect-loop',
  'redirect',
  'chunked'
] as const

/** What a fault is like. */
export interface FaultForm {
  readonly kind: FaultKind
  /** For `status` (503) and `redirect` (302). */
  readonly status?: number | undefined
  /** Seconds, or a date, for `status`. */
  readonly retryAfter?: number | Date | undefined
  /** For `redirect`. */
  readonly to?: string | undefined
  /** @defaultValue `'text/plain'` */
  readonly contentType?: string | undefined
  /** @defaultValue `'gzip'` */
  readonly encoding?: string | undefined
  /** For `slow`. @defaultValue 100 */
  readonly bytesPerSecond?: number | undefined
}

/** A fault and the requests that meet it. */
export interface Fault extends FaultForm {
  /** A part of the path and query, or what they match. @defaultValue every request */
  readonly match?: string | RegExp | undefined
  /** The first attempt of each URL to meet it. @defaultValue 1 */
  readonly from?: number | undefined
  /** Attempts of each URL that meet it. @defaultValue all */
  readonly times?: number | undefined
  /** Requests that meet it at most, of all URLs together: a burst. @defaultValue all */
  readonly total?: number | undefined
}

/** Faults at random. */
export interface Chaos {
  readonly seed: number
  /** Share of requests that fail, 0 to 1. */
  readonly probability: number
  /** Share of URLs that fail at every attempt. @defaultValue 0 */
  readonly hopeless?: number | undefined
  /** One of these is drawn. @defaultValue resets, truncation, corruption, bad gzip, 500, 502 and 503 */
  readonly forms?: readonly FaultForm[] | undefined
  readonly match?: string | RegExp | undefined
}

const chaosForms: readonly FaultForm[] = [
  { kind: 'reset' },
  { kind: 'reset-headers' },
  { kind: 'reset-body' },
  { kind: 'truncated' },
  { kind: 'truncated-chunked' },
  { kind: 'corrupted' },
  { kind: 'bad-gzip' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 502 },
  { kind: 'status', status: 503 }
]

/** The fault that a request meets in a chaos run, if any: for tests that say beforehand what must get through. */
export function chaosFault(
  { seed, probability, hopeless = 0, forms = chaosForms, match }: Chaos,
  url: string,
  attempt: number
): FaultForm | undefined {
  if (!matches(match, url)) return undefined
  const hash = hashText(url, seed)
  if (fraction(hash, 1) >= hopeless && fraction(hash, 2, attempt) >= probability) return undefined
  return forms[Math.floor(fraction(hash, 3, attempt) * forms.length)]
}

export class Faults {
  readonly #rules = new Set<{ readonly fault: Fault; met: number } | { readonly chaos: Chaos }>()
  readonly #attempts = new Map<string, number>()

  /** Adds a fault; earlier ones go first. Gives a function that takes it away again. */
  add(fault: Fault): () => void {
    return this.#addRule({ fault, met: 0 })
  }

  /** Adds faults at random. Gives a function that takes them away again. */
  addChaos(chaos: Chaos): () => void {
    return this.#addRule({ chaos })
  }

  /** Takes all faults away, and forgets how often each URL was asked for. */
  clear(): void {
    this.#rules.clear()
    this.#attempts.clear()
  }

  /** The fault for the next request of a URL. Attempts are counted while there is any rule. */
  next(url: string): FaultForm | undefined {
    if (this.#rules.size === 0) return undefined
    const attempt = (this.#attempts.get(url) ?? 0) + 1
    this.#attempts.set(url, attempt)
    for (const rule of this.#rules) {
      if ('chaos' in rule) {
        const form = chaosFault(rule.chaos, url, attempt)
        if (form !== undefined) return form
        continue
      }
      const { match, from = 1, times = Infinity, total = Infinity } = rule.fault
      if (attempt < from || attempt >= from + times || rule.met >= total || !matches(match, url)) continue
      rule.met++
      return rule.fault
    }
    return undefined
  }

  #addRule(rule: { readonly fault: Fault; met: number } | { readonly chaos: Chaos }): () => void {
    this.#rules.add(rule)
    return () => void this.#rules.delete(rule)
  }
}

function matches(match: string | RegExp | undefined, url: string): boolean {
  if (match === undefined) return true
  // `search` starts at the front each time, also where the pattern has the flag g.
  return typeof match === 'string' ? url.includes(match) : url.search(match) >= 0
}

/** How an answer is to be sent. */
export interface Delivery {
  readonly answer: Answer
  /** In place of an answer. */
  readonly instead?: 'reset' | 'reset-headers' | 'stall' | undefined
  /** Stops after so many bytes of the body. */
  readonly cut?: { readonly after: number; readonly how: 'reset' | 'end' | 'stall' } | undefined
  readonly bytesPerSecond?: number | undefined
}

/** What a fault makes of the right answer to a request for `url`. */
export function disturb(answer: Answer, fault: FaultForm, url: string): Delivery {
  switch (fault.kind) {
    case 'reset':
    case 'reset-headers':
      return { answer, instead: fault.kind }
    case 'stalled':
      return { answer, instead: 'stall' }
    case 'reset-body':
      return { answer, cut: { after: half(answer), how: 'reset' } }
    case 'stalled-body':
      return { answer, cut: { after: half(answer), how: 'stall' } }
    case 'truncated':
      return { answer, cut: { after: half(answer), how: 'end' } }
    case 'truncated-chunked':
      return { answer: without(answer, 'content-length'), cut: { after: half(answer), how: 'end' } }
    case 'chunked':
      return { answer: without(answer, 'content-length') }
    case 'slow':
      return { answer, bytesPerSecond: fault.bytesPerSecond ?? 100 }
    case 'corrupted':
      return { answer: corrupted(answer) }
    case 'status':
      return { answer: statusAnswer(fault) }
    case 'content-type':
      return {
        answer: {
          ...answer,
          headers: { ...answer.headers, 'content-type': fault.contentType ?? 'text/plain' }
        }
      }
    case 'html':
      return { answer: page() }
    case 'bad-gzip':
      return { answer: encoded(answer, 'gzip', spoilt(gzipSync(plainBytes(answer)))) }
    case 'wrong-encoding':
      return { answer: encoded(answer, fault.encoding ?? 'gzip', plainBytes(answer)) }
    case 'redirect-loop':
      return { answer: redirect(fault.status, url) }
    case 'redirect':
      return { answer: redirect(fault.status, target(fault.to ?? url, url)) }
  }
}

function statusAnswer({ status = 503, retryAfter }: FaultForm): Answer {
  const answer = plain(status, 'Made to fail')
  if (retryAfter === undefined) return answer
  const value = typeof retryAfter === 'number' ? retryAfter : retryAfter.toUTCString()
  return { ...answer, headers: { ...answer.headers, 'retry-after': value } }
}

function redirect(status = 302, location: string): Answer {
  const answer = plain(status, 'Elsewhere')
  return { ...answer, headers: { ...answer.headers, location } }
}

function target(to: string, url: string): string {
  return /^https?:\/\/[^/]+\/?$/.test(to) ? to.replace(/\/$/, '') + url : to
}

function page(): Answer {
  const body = Buffer.from(
    '<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in first.</body></html>\n'
  )
  return { status: 200, headers: { 'content-type': 'text/html', 'content-length': body.length }, body }
}

function corrupted(answer: Answer): Answer {
  const body = Buffer.concat(allOf(answer))
  // A null is never allowed in JSON, wherever it lands.
  const at = Math.floor(body.length / 2)
  if (body.length > 0) body[at] = body[at] === 0 ? 1 : 0
  return { ...(answer.gzip ? without(answer, 'content-encoding') : answer), body, gzip: false }
}

/** gzip whose second half is noise. */
function spoilt(body: Buffer): Buffer {
  return body.map((byte, at) => (at < body.length / 2 ? byte : byte ^ 0xa5)) as Buffer
}

function encoded(answer: Answer, encoding: string, body: Buffer): Answer {
  return {
    ...answer,
    body,
    gzip: false,
    headers: { ...answer.headers, 'content-encoding': encoding, 'content-length': body.length }
  }
}

/** The body before any Content-Encoding. */
function plainBytes(answer: Answer): Buffer {
  const body = Buffer.concat(allOf(answer))
  return answer.headers['content-encoding'] === 'gzip' && !answer.gzip ? gunzipSync(body) : body
}

function allOf({ body }: Answer): Buffer[] {
  return Buffer.isBuffer(body) ? [body] : [...body]
}

function half({ body, headers }: Answer): number {
  const length = Buffer.isBuffer(body) ? body.length : Number(headers['content-length'] ?? 131_072)
  return Math.floor(length / 2)
}

function without(answer: Answer, name: string): Answer {
  const { [name]: _, ...headers } = answer.headers
  return { ...answer, headers }
}
