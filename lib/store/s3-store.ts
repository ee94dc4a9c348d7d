/**
 * A store in a bucket that speaks S3: `PREFIX/sha256/ab/cdef…`. An object is there when its last byte was checked: a
 * small one comes in one request, of a large one the parts become an object only then.
 *
 * Loads the AWS SDK, and so is loaded only where a store is one (`open-store.ts`).
 */
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { MillraceError, OptionError, StoreError } from '../errors.js'
import type { Body } from '../http/body.js'
import { checkedBytes, digestOf, isSha256, nameOf } from './content.js'
import { type ListedFile, PRESIGNED_SECONDS, type PutFile, type PutOptions, type Store } from './store.js'
import { cleanFolder, leftoversOf } from './temporary-folder.js'

/** Of one request that puts; of more, each has so many but the last. S3 takes 5 MiB and more, and 10,000 of them. */
const PART_BYTES = 8 * 1024 * 1024

/** Parts of one object on their way at once. */
const PARTS = 2

/** An upload that began so long ago is nobody's: none takes a day. */
const ABANDONED_MS = 24 * 3_600_000

/** Times that a read begins again where it broke off, without a byte between. */
const MAX_RESUMES = 3

/** Without an answer from a server that is cut off, one would wait for ever. */
const TIMEOUTS = { connectionTimeout: 10_000, socketTimeout: 60_000 }

/** What may be said of a bucket after `?`. */
const PARAMETERS: readonly string[] = ['endpoint', 'region', 'path-style']

interface Uploaded {
  readonly Key?: string | undefined
  readonly UploadId?: string | undefined
}

export class S3Store implements Store {
  readonly temporaryDirectory = join(tmpdir(), `millrace-${userInfo().username}`)
  /** Each has two parts in memory, and waits for two answers. */
  readonly concurrency = 8
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string

  /**
   * Reads `s3://BUCKET/PREFIX`, and behind it `?endpoint=…&region=…&path-style=true|false`; what that does not say, the
   * environment and the files of the AWS SDK do. @throws {@link OptionError}
   */
  constructor(location: string) {
    const { bucket, prefix, config } = parse(location)
    this.#bucket = bucket
    this.#prefix = prefix
    this.#client = new S3Client(config)
  }

  async put(body: Body, options: PutOptions = {}): Promise<PutFile> {
    const sha256 = await digestOf(body, options, this.#place(''))
    const { size } = body
    // An object of another size was damaged from outside, and is written anew.
    if ((await this.size(sha256)) === size) return { sha256, size, reused: true }
    await this.#try('write', nameOf(sha256), async target => {
      const bytes = checkedBytes(body, sha256)
      if (size <= PART_BYTES) {
        const Body = await buffer(bytes)
        const ChecksumSHA256 = Buffer.from(sha256, 'hex').toString('base64')
        await this.#client.send(new PutObjectCommand({ ...target, Body, ChecksumSHA256 }))
        return
      }
      // It ends with an error where the bytes are not what they must be, and then the parts are thrown away.
      const params = { ...target, Body: Readable.from(bytes, { objectMode: false }) }
      await new Upload({ client: this.#client, params, partSize: PART_BYTES, queueSize: PARTS }).done()
    })
    return { sha256, size, reused: false }
  }

  async size(sha256: string): Promise<number | undefined> {
    return await this.#try('read', nameOf(sha256), async target => {
      try {
        return (await this.#client.send(new HeadObjectCommand(target))).ContentLength
      } catch (error) {
        if ((error as Error).name === 'NotFound') return undefined
        throw error
      }
    })
  }

  createReadStream(
    sha256: string,
    {
      start = 0,
      end,
      highWaterMark
    }: { readonly start?: number; readonly end?: number; readonly highWaterMark?: number } = {}
  ): Readable {
    const bytes = this.#read(nameOf(sha256), start, end)
    return Readable.from(bytes, { objectMode: false, ...(highWaterMark && { highWaterMark }) })
  }

  async delete(sha256: string): Promise<void> {
    await this.#try('remove', nameOf(sha256), target => this.#client.send(new DeleteObjectCommand(target)))
  }

  async *list(): AsyncGenerator<ListedFile, void, undefined> {
    const start = `${this.#prefix}sha256/`
    try {
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client: this.#client },
        { Bucket: this.#bucket, Prefix: start }
      )) {
        for (const { Key = '', Size: size = 0, LastModified } of Contents) {
          const sha256 = Key.slice(start.length).replace('/', '')
          if (!isSha256(sha256) || Key !== this.#prefix + nameOf(sha256)) continue
          yield { sha256, size, writtenMs: Number(LastModified) }
        }
      }
    } catch (error) {
      throw new StoreError(this.#place('sha256/'), 'list', error)
    }
  }

  async presign(sha256: string, filename: string): Promise<string> {
    return await this.#try('sign a request for', nameOf(sha256), async target => {
      const ResponseContentDisposition = `attachment; filename="${filename}"`
      const command = new GetObjectCommand({ ...target, ResponseContentDisposition })
      return await getSignedUrl(this.#client, command, { expiresIn: PRESIGNED_SECONDS })
    })
  }

  /** Temporary files here, and uploads that were begun more than a day ago. */
  async *leftovers(): AsyncGenerator<string, void, undefined> {
    yield* leftoversOf(this.temporaryDirectory)
    for await (const { Key, UploadId } of this.#abandoned()) yield `${Key} (upload ${UploadId})`
  }

  async clean(): Promise<number> {
    let removed = await cleanFolder(this.temporaryDirectory)
    for await (const { Key = '', UploadId } of this.#abandoned()) {
      await this.#try('remove', Key.slice(this.#prefix.length), target =>
        this.#client.send(new AbortMultipartUploadCommand({ ...target, UploadId }))
      )
      removed++
    }
    return removed
  }

  async *#abandoned(): AsyncGenerator<Uploaded, void, undefined> {
    const asked = { Bucket: this.#bucket, Prefix: `${this.#prefix}sha256/` }
    let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {}
    try {
      while (true) {
        const page = await this.#client.send(new ListMultipartUploadsCommand({ ...asked, ...after }))
        for (const upload of page.Uploads ?? [])
          if (Number(upload.Initiated) < Date.now() - ABANDONED_MS) yield upload
        if (!page.IsTruncated) return
        after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      }
    } catch (error) {
      throw new StoreError(this.#place('sha256/'), 'list uploads to', error)
    }
  }

  /** A connection that breaks is made again, and the same object goes on where it broke off. */
  async *#read(
    name: string,
    start: number,
    end: number | undefined
  ): AsyncGenerator<Buffer, void, undefined> {
    const whole = start === 0 && end === undefined
    let position = start
    let resumes = 0
    let etag: string | undefined
    while (true) {
      try {
        const { Body: body, ETag } = await this.#client.send(
          new GetObjectCommand({
            ...{ Bucket: this.#bucket, Key: this.#prefix + name, IfMatch: etag },
            Range: whole && position === 0 ? undefined : `bytes=${position}-${end ?? ''}`
          })
        )
        etag = ETag
        for await (const chunk of body as Readable) {
          position += chunk.length
          resumes = 0
          yield chunk
        }
        return
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey')
          throw Object.assign(new Error(`${this.#place(name)} is not there`), { code: 'ENOENT' })
        // What the server refuses it will refuse again.
        if (position === start || ++resumes > MAX_RESUMES)
          throw new StoreError(this.#place(name), 'read', error)
      }
    }
  }

  async #try<T>(
    what: string,
    name: string,
    work: (target: { readonly Bucket: string; readonly Key: string }) => Promise<T>
  ): Promise<T> {
    try {
      return await work({ Bucket: this.#bucket, Key: this.#prefix + name })
    } catch (error) {
      throw error instanceof MillraceError ? error : new StoreError(this.#place(name), what, error)
    }
  }

  #place(name: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${name}`
  }
}

function parse(location: string): { bucket: string; prefix: string; config: S3ClientConfig } {
  const wrong = (found: string) =>
    new OptionError('store', 's3://BUCKET/PREFIX?endpoint=…&region=…&path-style=…', found)
  if (!URL.canParse(location)) throw wrong(JSON.stringify(location))
  const { protocol, host: bucket, pathname, searchParams, username } = new URL(location)
  if (protocol !== 's3:' || bucket === '') throw wrong(JSON.stringify(location))
  // Such a text is shown in lists of processes and of runs.
  if (username !== '') throw wrong('a URL with credentials in it')
  for (const name of searchParams.keys())
    if (!PARAMETERS.includes(name)) throw wrong(`one with ${JSON.stringify(name)}`)
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION } = process.env
  const endpoint = searchParams.get('endpoint') ?? undefined
  const elsewhere = endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL
  // Servers other than Amazon's seldom have a host name for each bucket, and seldom regions.
  const pathStyle = searchParams.get('path-style')
  if (pathStyle !== null && !['true', 'false'].includes(pathStyle))
    throw wrong(`one with path-style=${pathStyle}`)
  const region =
    searchParams.get('region') ?? AWS_REGION ?? (elsewhere === undefined ? undefined : 'us-east-1')
  if (endpoint !== undefined && !/^https?:/.test(endpoint)) throw wrong(`one with endpoint=${endpoint}`)
  const prefix = decodeURIComponent(pathname).replace(/^\/+|\/+$/g, '')
  return {
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    config: {
      requestHandler: TIMEOUTS,
      forcePathStyle: pathStyle === null ? elsewhere !== undefined : pathStyle === 'true',
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region })
    }
  }
}
