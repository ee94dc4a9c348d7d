/**
 * What a document may ask of the process that reads it. Past a limit it is refused, or read the long way round.
 */
import { integer } from '../../options.js'

/** A limit was passed, or the document is no object. */
export class JsonLimitError extends Error {}

/** Limits on one document. Each has a default that no real index comes near. */
export interface DocumentLimits {
  /**
   * Bytes of a JSON document that is parsed at once; longer ones are streamed. Bounds how long the event loop is held.
   * @defaultValue 2 MiB: `JSON.parse` reads 110 MB/s and more on documents of an index
   */
  readonly wholeBytes: number
  /** Arrays and objects within each other. @defaultValue 64; documents of an index have 6 */
  readonly maxDepth: number
  /** UTF-16 code units of one string, number, tag or comment. @defaultValue 16 Mi: a long description is below 1 Mi */
  readonly maxLexeme: number
  /** UTF-16 code units of one entry of a list, or of one number. @defaultValue 1 Mi: an entry of an index is below 4 Ki */
  readonly maxEntry: number
  /** Files or projects that one document lists. @defaultValue 2,000,000: pypi.org lists 750,000 projects */
  readonly maxEntries: number
}

const DEFAULTS = {
  wholeBytes: 2 * 1024 ** 2,
  maxDepth: 64,
  maxLexeme: 16 * 1024 ** 2,
  maxEntry: 1024 ** 2,
  maxEntries: 2_000_000
}

/** Limits as they may be given: what is not, or is `undefined`, is the default. */
export type GivenLimits = { readonly [Name in keyof DocumentLimits]?: DocumentLimits[Name] | undefined }

/** Fills in what is not given. @throws {@link OptionError} */
export function documentLimits(given: GivenLimits = {}): DocumentLimits {
  const limits = { ...DEFAULTS }
  for (const name of Object.keys(DEFAULTS) as (keyof DocumentLimits)[]) {
    const value = given[name]
    if (value !== undefined) limits[name] = integer(`limits.${name}`, value, name === 'wholeBytes' ? 0 : 1)
  }
  return limits
}
