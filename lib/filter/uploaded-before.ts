/**
 * Takes out what was uploaded after a moment, or is younger than an age. A file whose upload time the index does not
 * tell is taken out: the filter is a guard against fresh malware, and such a file cannot be shown to be old enough.
 */
import { parseAge } from '../age.js'
import { OptionError } from '../errors.js'
import type { Package } from '../pypi/package.js'
import type { Filter } from './filter.js'

export interface UploadedBeforeOptions {
  /**
   * The moment before which a file must have been uploaded: a `Date`, an ISO 8601 date (the start of that day) or
   * date and time, in UTC where it names no zone; or an age in hours, days or weeks (`36h`, `7d`, `2w`), which counts
   * back from now. @defaultValue undefined, which keeps all
   */
  readonly uploadedBefore?: string | Date | undefined
}

const RULE = "a date such as '2024-05-31', a Date, or an age such as '36h', '7d' or '2w'"
const ISO_8601 = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i

/** Makes the filter. @throws {@link OptionError} */
export function uploadedBeforeFilter({ uploadedBefore }: UploadedBeforeOptions): Filter | undefined {
  if (uploadedBefore === undefined) return undefined
  const limit = momentOf(uploadedBefore)
  if (Number.isNaN(limit)) throw new OptionError('uploadedBefore', RULE, `${uploadedBefore}`)
  return {
    name: 'uploadedBefore',
    keeps: ({ uploadTime }) => uploadTime !== undefined && parseTime(uploadTime) < limit
  }
}

/**
 * When a file that the filter took out will be old enough, in ms since 1970; `undefined` if never, since the option is
 * a date or the file does not tell its upload time.
 */
export function heldUntil(
  { uploadedBefore }: UploadedBeforeOptions,
  { uploadTime = '' }: Pick<Package, 'uploadTime'>
): number | undefined {
  const until = parseTime(uploadTime) + (parseAge(uploadedBefore) ?? Number.NaN)
  return Number.isNaN(until) ? undefined : until
}

function momentOf(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  if (typeof value !== 'string') return Number.NaN
  const age = parseAge(value)
  return age === undefined ? parseTime(value) : Date.now() - age
}

/** Milliseconds since 1970, or NaN. What names no zone is UTC, which JavaScript would take for local time. */
function parseTime(text: string): number {
  const found = ISO_8601.exec(text)
  if (found === null) return Number.NaN
  return Date.parse(found[1] !== undefined || text.length === 10 ? text : `${text}Z`)
}
