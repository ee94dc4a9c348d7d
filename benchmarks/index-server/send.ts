/**
 * Sends an answer: whole where it can, in pieces and at a pace where it must, broken where a fault says so.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { RecordedRequest } from './counts.js'
import type { Delivery } from './faults.js'

/** A line of a stated width that all answers share: each waits for its turn. */
export class Bandwidth {
  readonly #bytesPerMs: number
  #freeAt = 0

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  /** Resolves when so many bytes have passed. */
  async pass(bytes: number): Promise<void> {
    const now = performance.now()
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMs
    if (this.#freeAt - now >= 1) await sleep(this.#freeAt - now, undefined, { ref: false })
  }
}

/** Sends what a delivery says, and writes status and bytes into the record. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  delivery: Delivery,
  record: RecordedRequest,
  bandwidth: Bandwidth | undefined
): Promise<void> {
  const { answer, instead, cut } = delivery
  if (instead !== undefined) {
    if (instead === 'reset-headers') await flushed(request, 'HTTP/1.1 200 OK\r\nContent-Ty')
    if (instead !== 'stall') request.socket.resetAndDestroy()
    return
  }
  record.status = answer.status
  response.writeHead(answer.status, answer.headers)
  if (request.method === 'HEAD' || answer.status === 304) {
    response.end()
    return
  }
  const line = delivery.bytesPerSecond === undefined ? bandwidth : new Bandwidth(delivery.bytesPerSecond)
  if (Buffer.isBuffer(answer.body) && line === undefined && cut === undefined) {
    record.bytes = answer.body.length
    // With a body given to end(), Node would add a Content-Length where a fault took it away.
    if (answer.headers['content-length'] === undefined) response.flushHeaders()
    response.end(answer.body)
    return
  }
  for await (const chunk of pieces(delivery)) {
    const left = cut === undefined ? chunk.length : Math.min(chunk.length, cut.after - record.bytes)
    await line?.pass(left)
    if (response.destroyed) return
    record.bytes += left
    if (!response.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await drained(response)
    if (response.destroyed) return
    if (cut === undefined || record.bytes < cut.after) continue
    // A reset overtakes what is still in the buffers of this side.
    if (cut.how === 'reset') setImmediate(() => request.socket.resetAndDestroy())
    if (cut.how === 'end') request.socket.end()
    return
  }
  response.end()
}

/** The body in pieces; small ones where they come slowly, so that they do come. */
function pieces({ answer, bytesPerSecond }: Delivery): Iterable<Buffer> | AsyncIterable<Buffer> {
  const { body, gzip } = answer
  const length = bytesPerSecond === undefined ? 65_536 : Math.max(1, Math.ceil(bytesPerSecond / 20))
  const chunks = Buffer.isBuffer(body)
    ? slices([body], length)
    : bytesPerSecond === undefined
      ? body
      : slices(body, length)
  return gzip ? Readable.from(chunks, { objectMode: false }).pipe(createGzip({ level: 1 })) : chunks
}

function* slices(chunks: Iterable<Buffer>, length: number): Iterable<Buffer> {
  for (const chunk of chunks) {
    for (let at = 0; at === 0 || at < chunk.length; at += length) yield chunk.subarray(at, at + length)
  }
}

function flushed(request: IncomingMessage, text: string): Promise<void> {
  return new Promise(resolve => request.socket.write(text, () => resolve()))
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
