/**
 * Takes out files that are larger than a limit. A file whose size the index does not tell stays: a page in HTML tells
 * none at all.
 */
import { OptionError } from '../errors.js'
import type { Filter } from './filter.js'

export interface MaxFileSizeOptions {
  /**
   * The largest size to keep, in bytes, or with a unit: `100MB`, `1.5GiB`. `kB`, `MB`, `GB` and `TB` are powers of
   * 1,000, `KiB`, `MiB`, `GiB` and `TiB` of 1,024; case does not matter. @defaultValue undefined, which keeps all
   */
  readonly maxFileSize?: number | string | undefined
}

const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?$/i

/** Makes the filter. @throws {@link OptionError} */
export function maxFileSizeFilter({ maxFileSize }: MaxFileSizeOptions): Filter | undefined {
  if (maxFileSize === undefined) return undefined
  const limit = bytesOf(maxFileSize)
  if (!(limit >= 0))
    throw new OptionError(
      'maxFileSize',
      "a number of bytes or a size such as '100MB'",
      `${typeof maxFileSize} ${maxFileSize}`
    )
  return { name: 'maxFileSize', keeps: ({ size }) => size === undefined || size <= limit }
}

function bytesOf(value: unknown): number {
  if (typeof value === 'number') return value
  const [, count, prefix, binary] = SIZE.exec(String(value)) ?? []
  if (count === undefined) return Number.NaN
  const power = prefix === undefined ? 0 : 'kmgt'.indexOf(prefix.toLowerCase()) + 1
  return Number(count) * (binary ? 1024 : 1000) ** power
}
