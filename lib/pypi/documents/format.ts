/**
 * What a reader of one document format has to say. A format is one file here and one line in `formats.ts`.
 *
 * Formats never see a whole document, so that a long one need not be held: they see an outline of it (a few plain
 * values, and how long its lists are), then choose lists, then take one entry of them at a time.
 */
import type { ProjectStatus } from '../package.js'

/** What a document says outside its lists. */
export interface Outline {
  /** The text, number or truth value at `key` or `key.key`, of those that a format names in `paths`. */
  value(path: string): string | number | boolean | undefined
  /** How long the list at `list` is, or the one in it for `group`; `undefined` where there is none. */
  count(list: string, group?: string): number | undefined
}

/** One entry of a list, as it stands there. */
export type RawEntry = Readonly<Record<string, unknown>>

/** A list of entries in a document. */
export interface EntryList {
  readonly key: string
  /** Whether it is an object of lists: one for each version. */
  readonly grouped: boolean
}

/** A list to read, and what to take its entries for where it is not grouped. */
export interface ChosenList {
  readonly key: string
  readonly group?: string | undefined
}

/** What a document says of its project. */
export interface About {
  readonly name?: string | undefined
  readonly serial?: number | undefined
  readonly status?: ProjectStatus | undefined
  readonly statusReason?: string | undefined
}

/** One file as a format describes it; nothing in it has been checked. */
export interface FileEntry {
  readonly filename: unknown
  readonly url: unknown
  readonly digests: unknown
  readonly size: unknown
  readonly packageType: unknown
  /** Where the document says it apart from the file name. */
  readonly version: string | undefined
  readonly requiresPython: unknown
  readonly yanked: false | string
  readonly uploadTime: unknown
  /** `true`, `false`, or digests. */
  readonly coreMetadata: unknown
  readonly provenance: unknown
}

/** How to read one document format. */
export interface DocumentFormat {
  /** For messages. */
  readonly name: string
  readonly syntax: 'json' | 'html'
  /** Values of the outline that are asked for, as `key` or `key.key`. */
  readonly paths: readonly string[]
  readonly lists: readonly EntryList[]
  /** Whether a document is of this format. */
  recognises(outline: Outline): boolean
  /** @returns why a document of this format cannot be read, where it cannot */
  objection(outline: Outline): string | undefined
  about(outline: Outline): About
  /** Which lists hold the files. */
  choose(outline: Outline): readonly ChosenList[]
  /** Describes one entry of them. */
  file(entry: RawEntry, group: string | undefined): FileEntry
}

const STATUSES: readonly string[] = ['active', 'archived', 'quarantined', 'deprecated']

/** Reads a project status marker; an unknown one is as good as none. @see https://peps.python.org/pep-0792/ */
export function projectStatus(value: unknown): ProjectStatus | undefined {
  return typeof value === 'string' && STATUSES.includes(value) ? (value as ProjectStatus) : undefined
}

/**
 * Says why a document of the simple API cannot be read: its version is a major one that is not known here.
 * @see https://peps.python.org/pep-0629/
 */
export function apiVersionObjection(version: unknown): string | undefined {
  const major = typeof version === 'string' ? /^(\d+)\.\d+$/.exec(version)?.[1] : undefined
  return major === undefined || major === '1' ? undefined : `it has the API version ${version}, not 1.x`
}

/** A text with something in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A serial number. */
export function serialOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}
