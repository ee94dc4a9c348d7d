/**
 * A server that speaks S3, for one test: s3rver, which checks signatures and keeps objects in files. It knows nothing of
 * uploads that are given up: these two requests are answered here, from its folder. And it reckons the signature of a
 * request for a list as an older SDK did: that one comes to it unsigned.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from '@20minutes/s3rver'
import type { Test } from 'tap'

/** The key that s3rver knows; processes of the command line have it from here, too. */
process.env.AWS_ACCESS_KEY_ID = 'S3RVER'
process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER'

export interface S3Server {
  /** For `--store`. */
  readonly location: string
  readonly endpoint: string
  /** `METHOD /path?query` of the requests that came. */
  readonly requests: string[]
  /** Keys of the uploads that were begun and not ended. */
  uploads(): string[]
  /** The file with the bytes of an object. */
  pathOf(sha256: string): string
  /** Makes `count` of them begin at another time. */
  backdate(count: number, ms: number): void
  /** Cuts all connections. */
  cut(): void
  /** Has a say in each request first: what it returns is the status, and undefined lets the request pass. */
  fault: (request: string) => number | 'cut' | undefined
}

const BUCKET = 'packages'

export async function startS3(t: Test): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-s3-'))
  const server = new S3rver({
    ...{ directory, port: 0, address: '127.0.0.1', silent: true },
    configureBuckets: [{ name: BUCKET }]
  })
  const folder = join(directory, BUCKET, '._S3rver_uploads')
  const begun = () =>
    (existsSync(folder) ? readdirSync(folder) : []).map(id => ({
      id,
      key: readFileSync(join(folder, id, 'key'), 'utf8'),
      at: statSync(join(folder, id, 'key')).mtime.toISOString()
    }))
  const s3: S3Server = {
    ...{ location: '', endpoint: '', requests: [] },
    uploads: () => begun().map(({ key }) => key),
    backdate(count, ms) {
      for (const { id } of begun().slice(0, count)) utimesSync(join(folder, id, 'key'), ms / 1000, ms / 1000)
    },
    cut: () => server.httpServer.closeAllConnections(),
    pathOf: sha256 =>
      join(directory, BUCKET, 'wheels', 'sha256', sha256.slice(0, 2), `${sha256.slice(2)}._S3rver_object`),
    fault: () => undefined
  }
  server.middleware.unshift(async (context, next) => {
    const request = `${context.method} ${context.req.url}`
    s3.requests.push(request)
    const fault = s3.fault(request)
    if (fault === 'cut') context.req.socket.destroy()
    else if (fault !== undefined) Object.assign(context, { status: fault, body: '' })
    else if (context.method === 'DELETE' && context.query.uploadId !== undefined) {
      rmSync(join(folder, context.query.uploadId), { recursive: true, force: true })
      context.status = 204
    } else if (context.method === 'GET' && context.query.uploads !== undefined) {
      // One a page.
      const after = context.query['upload-id-marker'] ?? ''
      const [first, ...more] = begun()
        .filter(({ id, key }) => id > after && key.startsWith(context.query.prefix ?? ''))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
      const upload =
        first &&
        `<Upload><Key>${first.key}</Key><UploadId>${first.id}</UploadId><Initiated>${first.at}</Initiated></Upload>`
      Object.assign(context, {
        status: 200,
        body: `<ListMultipartUploadsResult><IsTruncated>${more.length > 0}</IsTruncated>
          <NextKeyMarker>${first?.key}</NextKeyMarker><NextUploadIdMarker>${first?.id}</NextUploadIdMarker>
          ${upload ?? ''}</ListMultipartUploadsResult>`
      })
    } else {
      if (context.query['list-type'] !== undefined) delete context.req.headers.authorization
      await next()
    }
  })
  const { port } = await server.run()
  t.teardown(async () => {
    server.httpServer.closeAllConnections()
    await server.close()
    await rm(directory, { recursive: true })
  })
  const endpoint = `http://127.0.0.1:${port}`
  return Object.assign(s3, { endpoint, location: `s3://${BUCKET}/wheels?endpoint=${endpoint}` })
}
