/**
 * A JSON document that is parsed at once: for those short enough not to hold the event loop.
 */
import type { EntryList, Outline, RawEntry } from './format.js'
import { JsonLimitError } from './limits.js'

/** Below this no nesting and no mass of values takes `JSON.parse` longer than some 25 ms. */
const HARMLESS_BYTES = 64 * 1024
/**
 * What a document that is parsed at once may ask for: 1 for a value, and 4 for an array or an object, which may be an
 * entry to be checked. A file of an index costs 30, so that this is enough for 2,000 of them, or 15 ms; the worst that
 * can be had for it is new keys and tiny entries, for 50 ms.
 */
const MAX_COST = 60_000
const OBJECT_COST = 4
/** Longer texts are none of the outline's business: names, versions, words. */
export const MAX_OUTLINE_TEXT = 4096

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Says whether `JSON.parse` would be done with a document soon, for which its length is not enough: at 100,000 arrays
 * within each other it reads 2.5 MB/s, not 110.
 */
export function isQuicklyParsed(bytes: Uint8Array, maxDepth: number): boolean {
  if (bytes.length <= HARMLESS_BYTES) return true
  let depth = 0
  let cost = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === QUOTE) {
      index++
      while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1
    } else if (byte === COMMA) {
      if (++cost > MAX_COST) return false
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      cost += OBJECT_COST
      if (++depth > maxDepth || cost > MAX_COST) return false
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--
  }
  return true
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** A parsed document, seen as an outline and lists. */
export class JsonDocument implements Outline {
  readonly #root: JsonObject
  readonly #lists: ReadonlyMap<string, EntryList>

  /** @throws SyntaxError; {@link JsonLimitError} when it is no object */
  constructor(text: string, lists: ReadonlyMap<string, EntryList>) {
    const root: unknown = JSON.parse(text)
    if (!isObject(root)) throw new JsonLimitError('it is JSON, but no object')
    this.#root = root
    this.#lists = lists
  }

  value(path: string): string | number | boolean | undefined {
    const dot = path.indexOf('.')
    const key = dot < 0 ? path : path.slice(0, dot)
    let value = own(this.#root, key)
    if (dot >= 0) value = isObject(value) ? own(value, path.slice(dot + 1)) : undefined
    if (typeof value === 'string') return value.length > MAX_OUTLINE_TEXT ? undefined : value
    return typeof value === 'number' || typeof value === 'boolean' ? value : undefined
  }

  count(key: string, group?: string): number | undefined {
    const list = own(this.#root, key)
    if (this.#lists.get(key)?.grouped !== true) return Array.isArray(list) ? list.length : undefined
    if (!isObject(list)) return undefined
    if (group !== undefined) {
      const entries = own(list, group)
      return Array.isArray(entries) ? entries.length : undefined
    }
    let total = 0
    for (const name in list) {
      const entries = list[name]
      if (Array.isArray(entries)) total += entries.length
    }
    return total
  }

  /** All entries of a list with the group that each is in, in the document's order. */
  *entries(key: string): Generator<[entry: unknown, group: string | undefined]> {
    const list = own(this.#root, key)
    if (this.#lists.get(key)?.grouped !== true) {
      if (Array.isArray(list)) for (const entry of list) yield [entry, undefined]
    } else if (isObject(list)) {
      for (const group in list) {
        const entries = list[group]
        if (Array.isArray(entries)) for (const entry of entries) yield [entry, group]
      }
    }
  }
}

/** Whether an entry can be looked into. */
export function isEntry(value: unknown): value is RawEntry {
  return isObject(value)
}

/** What a document does not have must not be found on `Object.prototype`. */
function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
