/** What is used here of a package that brings no types. */
declare module '@20minutes/s3rver' {
  import type { IncomingMessage, Server } from 'node:http'

  interface Context {
    readonly method: string
    readonly path: string
    readonly query: Readonly<Record<string, string | undefined>>
    readonly req: IncomingMessage
    status: number
    body: unknown
  }

  type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>

  export default class S3rver {
    constructor(options: {
      readonly directory: string
      readonly port: number
      readonly address: string
      readonly silent: boolean
      readonly configureBuckets: readonly { readonly name: string }[]
    })
    readonly middleware: Middleware[]
    readonly httpServer: Server
    run(): Promise<{ readonly port: number }>
    close(): Promise<void>
  }
}
