/**
 * Every error that Millrace makes. `code` is the contract; `message` is for people.
 * Each code is described in `docs/errors.md`; a test keeps the two equal.
 */

/** What all errors of Millrace have in common. */
export abstract class MillraceError extends Error {
  abstract readonly code: `ERR_MILLRACE_${string}`
  override get name(): string {
    return this.constructor.name
  }
}

/** An option has a value that it cannot have. Thrown by constructors, before anything is opened. */
export class OptionError extends MillraceError {
  readonly code = 'ERR_MILLRACE_OPTION'
  constructor(
    readonly option: string,
    rule: string,
    found: string
  ) {
    super(`The option ${option} must be ${rule}, but is ${found}`)
  }
}

/** A request failed for good. The subclasses say in which way. */
export abstract class DownloadError extends MillraceError {
  readonly url: string
  /** Requests made for the item; set when the downloader gives up. */
  attempts = 0
  /** Time from the first request to giving up; set when the downloader gives up. */
  durationMs = 0
  constructor(message: string, url: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.url = url
  }
}

/** The server answered with a status that is not a success. */
export class StatusError extends DownloadError {
  readonly code = 'ERR_MILLRACE_STATUS'
  constructor(
    url: string,
    readonly statusCode: number,
    /** The header `Retry-After`, as it came. */
    readonly retryAfter?: string | undefined
  ) {
    super(`${url} answered with status ${statusCode}`, url)
  }
}

/** No answer could be had: refused, reset, not resolved, bad certificate. `cause` is the original. */
export class NetworkError extends DownloadError {
  readonly code = 'ERR_MILLRACE_NETWORK'
  constructor(url: string, cause: unknown) {
    const reason =
      cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause)
    super(`${url} could not be reached: ${reason}`, url, cause)
  }
}

/** The server took longer than a limit allows. */
export class TimeoutError extends DownloadError {
  readonly code = 'ERR_MILLRACE_TIMEOUT'
  constructor(url: string, what: string, cause?: unknown) {
    super(`${url} took too long: ${what}`, url, cause)
  }
}

/** The body has another size than the item or the answer's `Content-Length` states. Sizes in bytes. */
export class SizeError extends DownloadError {
  readonly code = 'ERR_MILLRACE_SIZE'
  constructor(
    url: string,
    readonly expected: number,
    readonly found: number
  ) {
    super(`${url} has ${found} bytes where ${expected} were promised`, url)
  }
}

/** The body has another digest than the item states. */
export class DigestError extends DownloadError {
  readonly code = 'ERR_MILLRACE_DIGEST'
  constructor(
    url: string,
    readonly algorithm: string,
    readonly expected: string,
    readonly found: string
  ) {
    super(`${url} has the ${algorithm} ${found} where ${expected} was promised`, url)
  }
}

/** The body is larger than `maxBodyBytes`, before or after its Content-Encoding is undone. */
export class BodyTooLargeError extends DownloadError {
  readonly code = 'ERR_MILLRACE_BODY_TOO_LARGE'
  constructor(
    url: string,
    readonly maxBytes: number
  ) {
    super(`${url} has more than the ${maxBytes} bytes allowed`, url)
  }
}

/** The Content-Encoding is unknown, or the body is not what it says. */
export class EncodingError extends DownloadError {
  readonly code = 'ERR_MILLRACE_ENCODING'
  constructor(url: string, encoding: string, cause?: unknown) {
    super(`${url} cannot be decoded as ${encoding}`, url, cause)
  }
}

/** A redirect that is not followed: too many, without a place to go, or from https to http. */
export class RedirectError extends DownloadError {
  readonly code = 'ERR_MILLRACE_REDIRECT'
  constructor(url: string, why: string) {
    super(`${url} was redirected ${why}`, url)
  }
}

/** A URL that is not fetched: not one, another scheme than http and https, or an address that the policy forbids. */
export class UrlError extends DownloadError {
  readonly code = 'ERR_MILLRACE_URL'
  constructor(url: string, why: string) {
    super(`${url} is not fetched: ${why}`, url)
  }
}

/** A temporary file of a download could not be written or read. `cause` is the system's error (`ENOSPC`, …). */
export class TemporaryFileError extends DownloadError {
  readonly code = 'ERR_MILLRACE_TEMPORARY_FILE'
  constructor(url: string, path: string, cause: unknown) {
    super(`${url} could not be kept in ${path}: ${(cause as Error).message}`, url, cause)
  }
}

/** A document is not what it should be: not JSON, no project page, past a limit. Loses that document, no other. */
export class DocumentError extends MillraceError {
  readonly code = 'ERR_MILLRACE_DOCUMENT'
  constructor(
    /** Without credentials, query and fragment. */
    readonly url: string,
    why: string,
    cause?: unknown
  ) {
    super(`${url} cannot be read: ${why}`, cause === undefined ? undefined : { cause })
  }
}

/** One entry of a document cannot be used. Loses that file, no other. */
export class RecordError extends MillraceError {
  readonly code = 'ERR_MILLRACE_RECORD'
  constructor(
    readonly url: string,
    readonly filename: string | undefined,
    why: string
  ) {
    super(`${filename === undefined ? 'A file' : JSON.stringify(filename)} of ${url} cannot be used: ${why}`)
  }
}

/** A requirement that PEP 508 does not allow. */
export class RequirementError extends MillraceError {
  readonly code = 'ERR_MILLRACE_REQUIREMENT'
  constructor(
    readonly requirement: string,
    readonly why: string,
    /** `FILE:LINE` when it came from a requirements file. */
    readonly where?: string | undefined,
    /** The character at which reading stopped, from 0. */
    readonly position?: number | undefined
  ) {
    super(
      `${where === undefined ? '' : `${where}: `}the requirement ${JSON.stringify(requirement)} cannot be read: ${why}`
    )
  }
}

/** The catalog cannot be opened, read or written. `cause` is the database's error. */
export class CatalogError extends MillraceError {
  readonly code = 'ERR_MILLRACE_CATALOG'
  constructor(
    /** The file or the URL, without credentials. */
    readonly catalog: string,
    why: string,
    cause?: unknown
  ) {
    super(`The catalog ${catalog} ${why}`, cause === undefined ? undefined : { cause })
  }
}

/** Another process syncs the repository. */
export class BusyError extends MillraceError {
  readonly code = 'ERR_MILLRACE_BUSY'
  constructor(readonly repository: string) {
    super(`The repository ${repository} is being synced by another process`)
  }
}

/** A run is no longer under way: another process committed it, or took it for dead and began one after it. */
export class RunEndedError extends MillraceError {
  readonly code = 'ERR_MILLRACE_RUN_ENDED'
  constructor(
    /** Of its row in `runs`. */
    readonly run: number
  ) {
    super(`Run ${run} has ended: another process committed it, or took its repository over`)
  }
}

/** A shard of a run could not be done, or is done by another worker now; or the queue cannot be reached. */
export class ClusterError extends MillraceError {
  readonly code = 'ERR_MILLRACE_CLUSTER'
  constructor(
    /** Of its row in `runs`. */
    readonly run: number | undefined,
    why: string,
    cause?: unknown
  ) {
    super(
      `${run === undefined ? 'The cluster' : `Run ${run} of the cluster`}: ${why}`,
      cause === undefined ? undefined : { cause }
    )
  }
}

/** More is gone from the index than `maxRemovals` lets a mirror remove; nothing was removed. */
export class RemovalsError extends MillraceError {
  readonly code = 'ERR_MILLRACE_REMOVALS'
  constructor(
    readonly repository: string,
    /** Packages whose projects are gone. */
    readonly packages: number,
    readonly projects: number,
    readonly maxRemovals: number
  ) {
    super(
      `${projects} projects with ${packages} packages of the repository ${repository} are gone from the index, more than maxRemovals (${maxRemovals}) lets one run remove: they were kept`
    )
  }
}

/** A file of the store cannot be written or read. `cause` is the system's error. */
export class StoreError extends MillraceError {
  readonly code = 'ERR_MILLRACE_STORE'
  constructor(
    readonly path: string,
    why: string,
    cause?: unknown
  ) {
    super(
      `The store cannot ${why} ${path}${cause instanceof Error ? `: ${cause.message}` : ''}`,
      cause === undefined ? undefined : { cause }
    )
  }
}

/** A folder cannot be published to: it is not one of Millrace's, in use, or cannot be written. */
export class PublishError extends MillraceError {
  readonly code = 'ERR_MILLRACE_PUBLISH'
  constructor(
    readonly directory: string,
    why: string,
    cause?: unknown
  ) {
    super(`The folder ${directory} ${why}`, cause === undefined ? undefined : { cause })
  }
}
