/**
 * What the index server serves, whatever it comes from: projects, their files, and the bytes of those.
 */

/** One file as the index describes it. */
export interface IndexFile {
  readonly filename: string
  readonly version: string
  /** Below the server's root (`/files/…`), or an absolute URL. */
  readonly path: string
  readonly hashes: Readonly<Record<string, string>>
  readonly size: number | undefined
  /** ISO 8601 with microseconds. */
  readonly uploadTime: string | undefined
  readonly requiresPython: string | undefined
  readonly yanked: false | string
  readonly packageType: string
  readonly coreMetadata: boolean | Readonly<Record<string, string>>
  /** URL of the provenance object; `undefined` is served as null. */
  readonly provenance: string | undefined
}

/** One project. Its files are made when they are asked for, and may be too many to hold. */
export interface IndexProject {
  readonly name: string
  readonly serial: number
  readonly files: Iterable<IndexFile>
  readonly versions: Iterable<string>
  readonly status?: string | undefined
  readonly statusReason?: string | undefined
  /** Recorded documents, served as they are in place of ones made from `files`. */
  readonly recorded?: { readonly json?: string | undefined; readonly legacy?: string | undefined } | undefined
  /** A quicker way to the PEP 691 document, where there is one. */
  readonly page?: ((base: string) => Buffer) | undefined
}

/** The bytes of one file. */
export interface Content {
  readonly size: number
  readonly etag: string
  /** From `start` to just before `end`. */
  chunks(start: number, end: number): Iterable<Buffer>
}

/** Where projects come from. Names handed in are normalised. */
export interface IndexSource {
  readonly lastSerial: number
  listing(): Iterable<{ readonly name: string; readonly serial: number }>
  project(name: string): IndexProject | undefined
  /** What lies at a path below the server's root, `.metadata` files included. */
  content(path: string): Content | undefined
}

/** Normalised name (PEP 503). Written here anew, so that the server can show up a mistake in what it tests. */
export function normalise(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase()
}

/** Bytes that lie in memory. */
export function contentOf(data: Buffer, etag: string): Content {
  return { size: data.length, etag, chunks: (start, end) => [data.subarray(start, end)] }
}

/** Several sources as one; the first that knows a name or a path answers. */
export class JoinedSource implements IndexSource {
  readonly #sources: readonly IndexSource[]

  constructor(sources: readonly IndexSource[]) {
    this.#sources = sources
  }

  get lastSerial(): number {
    return Math.max(0, ...this.#sources.map(source => source.lastSerial))
  }

  *listing(): Iterable<{ readonly name: string; readonly serial: number }> {
    for (const source of this.#sources) yield* source.listing()
  }

  project(name: string): IndexProject | undefined {
    for (const source of this.#sources) {
      const project = source.project(name)
      if (project !== undefined) return project
    }
    return undefined
  }

  content(path: string): Content | undefined {
    for (const source of this.#sources) {
      const content = source.content(path)
      if (content !== undefined) return content
    }
    return undefined
  }
}
