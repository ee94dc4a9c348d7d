/**
 * The two passes over a long JSON document: one for its outline, one for its entries.
 *
 * `JSON.parse` lets the last of equal keys count. The first pass learns how often each list is there, so the second
 * one knows which is the last.
 */
import type { EntryList, Outline } from './format.js'
import { MAX_OUTLINE_TEXT } from './json.js'
import { type JsonVisitor, JsonWalk } from './json-stream.js'
import type { DocumentLimits } from './limits.js'

type Lists = ReadonlyMap<string, EntryList>

/** A list, or one in an object of lists, as far as it is known. */
interface Tally {
  /** How often it began. */
  times: number
  /** Length of the last one; `undefined` where something else than a list came after it. */
  count: number | undefined
}

/** Those in it besides, where it is an object of lists. */
interface ListTally extends Tally {
  readonly groups: Map<string, Tally>
}

/** An entry, and where it stood. */
export interface ListedEntry {
  readonly entry: unknown
  readonly key: string
  readonly group: string | undefined
}

/** Groups remembered to find one that is there twice; those after them are read wherever they stand. */
const MAX_GROUPS = 20_000

/** The outline of a document, as the first pass finds it. */
export class JsonOutline implements Outline, JsonVisitor {
  readonly #paths: ReadonlySet<string>
  readonly #values = new Map<string, string | number | boolean>()
  readonly #lists = new Map<string, ListTally>()
  #list: ListTally | undefined
  #group: Tally | undefined

  constructor(lists: Lists, paths: ReadonlySet<string>) {
    this.#paths = paths
    for (const key of lists.keys()) this.#lists.set(key, { times: 0, count: undefined, groups: new Map() })
  }

  value(path: string): string | number | boolean | undefined {
    return this.#values.get(path)
  }

  count(key: string, group?: string): number | undefined {
    const list = this.#lists.get(key)
    if (list?.count === undefined || group === undefined) return list?.count
    const found = list.groups.get(group)
    // With so many, it is sooner there than not.
    return found === undefined && list.groups.size >= MAX_GROUPS ? list.count : found?.count
  }

  /** Whether the list that begins is the last one of that name, and not its `times`-th of more. */
  isLast(key: string, group: string | undefined, times: number): boolean {
    const list = this.#lists.get(key)
    const found = group === undefined ? list : list?.groups.get(group)
    return found === undefined || (found.count !== undefined && found.times === times)
  }

  key(key: string, sub: string | undefined): void {
    const list = this.#lists.get(key)
    if (sub !== undefined) {
      this.#values.delete(`${key}.${sub}`)
      const group = list?.groups.get(sub)
      if (list?.count === undefined || group === undefined) return
      list.count -= group.count ?? 0
      group.count = undefined
      return
    }
    if (list !== undefined) {
      list.count = undefined
      list.groups.clear()
    }
    for (const path of this.#values.keys()) {
      if (path === key || path.startsWith(`${key}.`)) this.#values.delete(path)
    }
  }

  scalar(key: string, sub: string | undefined, value: string | number | boolean | null): void {
    // `{ "info.name": … }` is not `{ "info": { "name": … } }`.
    if (value === null || key.includes('.')) return
    const path = sub === undefined ? key : `${key}.${sub}`
    if (!this.#paths.has(path)) return
    if (typeof value !== 'string' || value.length <= MAX_OUTLINE_TEXT) this.#values.set(path, value)
  }

  list(key: string, group: string | undefined): boolean {
    this.#group = undefined
    if (group === undefined) {
      this.#list = this.#lists.get(key) as ListTally
      this.#list.times++
      this.#list.count = 0
      return false
    }
    const groups = (this.#list as ListTally).groups
    this.#group = groups.get(group)
    if (this.#group === undefined && groups.size < MAX_GROUPS) {
      this.#group = { times: 0, count: undefined }
      groups.set(group, this.#group)
    }
    if (this.#group !== undefined) {
      this.#group.times++
      this.#group.count = 0
    }
    return false
  }

  entry(): void {
    if (this.#group?.count !== undefined) this.#group.count++
    if (this.#list?.count !== undefined) this.#list.count++
  }
}

/** Gives out the entries of the chosen lists, in the second pass. */
class EntryVisitor implements JsonVisitor {
  entries: ListedEntry[] = []
  readonly #chosen: ReadonlySet<string>
  readonly #outline: JsonOutline
  readonly #times = new Map<string, number>()
  readonly #groupTimes = new Map<string, number>()
  #listIsLast = false
  #key = ''
  #group: string | undefined

  constructor(chosen: ReadonlySet<string>, outline: JsonOutline) {
    this.#chosen = chosen
    this.#outline = outline
  }

  key(): void {}

  scalar(): void {}

  list(key: string, group: string | undefined): boolean {
    this.#key = key
    this.#group = group
    if (group === undefined) {
      this.#listIsLast = this.#chosen.has(key) && this.#outline.isLast(key, undefined, next(this.#times, key))
      this.#groupTimes.clear()
      return this.#listIsLast
    }
    if (!this.#listIsLast) return false
    const times = this.#groupTimes.size < MAX_GROUPS ? next(this.#groupTimes, group) : 1
    return this.#outline.isLast(key, group, times)
  }

  entry(entry: unknown): void {
    if (entry !== undefined) this.entries.push({ entry, key: this.#key, group: this.#group })
  }
}

function next(times: Map<string, number>, name: string): number {
  const value = (times.get(name) ?? 0) + 1
  times.set(name, value)
  return value
}

/** First pass. @throws Error where it is not JSON; {@link JsonLimitError} */
export async function outlineOf(
  texts: AsyncIterable<string>,
  lists: Lists,
  paths: ReadonlySet<string>,
  limits: DocumentLimits
): Promise<JsonOutline> {
  const outline = new JsonOutline(lists, paths)
  const walk = new JsonWalk(lists, limits, outline)
  for await (const text of texts) walk.write(text)
  walk.end()
  return outline
}

/** Second pass: the entries of the chosen lists, those of one piece of text at a time. */
export async function* readEntries(
  texts: AsyncIterable<string>,
  lists: Lists,
  chosen: ReadonlySet<string>,
  outline: JsonOutline,
  limits: DocumentLimits
): AsyncGenerator<ListedEntry[]> {
  const visitor = new EntryVisitor(chosen, outline)
  const walk = new JsonWalk(lists, limits, visitor)
  for await (const text of texts) {
    walk.write(text)
    if (visitor.entries.length > 0) yield visitor.entries
    visitor.entries = []
  }
  walk.end()
}
