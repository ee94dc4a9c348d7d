/**
 * A JSON document read piece by piece, in memory that does not grow with its length: its frame with stream-json, its
 * entries with `JSON.parse`.
 *
 * stream-json says that it is not made for hostile input, so the limits stand here, on one string or number, on one entry,
 * on the number of entries, and in the cutter, on nesting.
 */
import { type many, none } from 'stream-chain/core'
import Assembler from 'stream-json/assembler.js'
import { jsonParser, type Token } from 'stream-json/core/parser.js'
import { EntryCutter, holdsEntries, UNCUT } from './entry-cutter.js'
import type { EntryList } from './format.js'
import { type DocumentLimits, JsonLimitError } from './limits.js'

/** What a walk through a document meets. Nothing is told of what lies deeper, but for the entries of lists. */
export interface JsonVisitor {
  /** A key of the document, or one below it where `sub` is given. What an equal key before it said does not count. */
  key(key: string, sub: string | undefined): void
  /** The text, number or truth value of the key. */
  scalar(key: string, sub: string | undefined, value: string | number | boolean | null): void
  /** The object of lists, or the list, of the key begins. @returns whether its entries are wanted */
  list(key: string, group: string | undefined): boolean
  /** An entry of the list; `undefined` unless wanted. Of an array, which is none that can be used, only that it is one. */
  entry(value: unknown): void
}

type Limits = Pick<DocumentLimits, 'maxDepth' | 'maxLexeme' | 'maxEntry' | 'maxEntries'>

/** Walks through one document. */
export class JsonWalk {
  readonly #parser = jsonParser({ packValues: true, streamValues: false })
  readonly #lists: ReadonlyMap<string, EntryList>
  readonly #limits: Limits
  readonly #cutter: EntryCutter
  readonly #visitor: JsonVisitor
  #depth = 0
  /** Which of the open containers are arrays that hold entries. */
  readonly #arrays: boolean[] = []
  #key = ''
  #sub = ''
  /** Whether the value at the key of the document is an object. */
  #inObject = false
  /** Depth inside the list that is being read; 0 outside of lists. */
  #listDepth = 0
  #wanted = false
  #entries = 0
  #assembler: Assembler | undefined
  /** Code units of the entry in the making. */
  #weight = 0
  /** Code units since the last token: what they are part of is at least that long. */
  #pending = 0

  constructor(lists: ReadonlyMap<string, EntryList>, limits: Limits, visitor: JsonVisitor) {
    this.#lists = lists
    this.#limits = limits
    this.#cutter = new EntryCutter(limits)
    this.#visitor = visitor
  }

  /** Takes the next piece of text. @throws Error where it is not JSON; {@link JsonLimitError} */
  write(text: string): void {
    const frame = text === '' ? '' : this.#cutter.cut(text)
    if (frame !== '') this.#take(frame)
  }

  /** Ends the document. @throws Error where something is missing */
  end(): void {
    this.#take(this.#cutter.end())
    this.#take(none)
  }

  #take(input: string | typeof none): void {
    const output = this.#parser(input as string)
    if (output === none) {
      this.#pending += typeof input === 'string' ? input.length : 0
      if (this.#pending > this.#limits.maxLexeme) this.#tooLong()
      return
    }
    this.#pending = 0
    for (const token of (output as ReturnType<typeof many<Token>>).values) this.#step(token)
  }

  #step(token: Token): void {
    switch (token.name) {
      case 'keyValue':
        if (this.#assembler !== undefined) this.#assemble(token, token.value.length)
        else if (this.#depth === 1) {
          this.#key = token.value
          this.#visitor.key(this.#key, undefined)
        } else if (this.#depth === 2 && this.#inObject) {
          this.#sub = token.value
          this.#visitor.key(this.#key, this.#sub)
        }
        break
      case 'startObject':
      case 'startArray':
        this.#open(token)
        break
      case 'endObject':
      case 'endArray':
        this.#close(token)
        break
      case 'stringValue':
        this.#scalar(token, token.value, token.value.length)
        break
      case 'numberValue':
        // Ten million digits take a tenth of a second to read.
        if (token.value.length > this.#limits.maxEntry) this.#tooLong(this.#limits.maxEntry)
        this.#scalar(token, Number.parseFloat(token.value), token.value.length)
        break
      case 'nullValue':
      case 'trueValue':
      case 'falseValue':
        this.#scalar(token, token.value, 0)
    }
  }

  #open(token: Token): void {
    const isObject = token.name === 'startObject'
    if (this.#depth === 0 && !isObject) throw new JsonLimitError('it is JSON, but no object')
    if (this.#assembler !== undefined) this.#assemble(token, 0)
    else if (isObject && this.#arrays[this.#depth]) this.#entry(token, this.#cutter.entries.shift())
    else if (this.#listDepth > 0 && this.#depth === this.#listDepth) this.#entry(token, [])
    else if (this.#depth === 1) {
      this.#inObject = isObject
      const list = this.#lists.get(this.#key)
      if (list !== undefined && list.grouped === isObject) {
        this.#wanted = this.#visitor.list(this.#key, undefined)
        if (!list.grouped) this.#listDepth = 2
      }
    } else if (this.#depth === 2 && this.#inObject && !isObject && this.#lists.get(this.#key)?.grouped) {
      this.#wanted = this.#visitor.list(this.#key, this.#sub)
      this.#listDepth = 3
    }
    this.#depth++
    this.#arrays[this.#depth] = !isObject && holdsEntries(this.#depth)
  }

  #close(token: Token): void {
    this.#depth--
    if (this.#assembler !== undefined) {
      this.#assemble(token, 0)
      if (this.#depth === this.#listDepth) {
        const entry = this.#assembler.current
        this.#assembler = undefined
        this.#visitor.entry(entry)
      }
    } else if (this.#depth < this.#listDepth) this.#listDepth = 0
  }

  /** An object or array that lies in an array: in a list, it is an entry. */
  #entry(token: Token, entry: unknown): void {
    if (this.#depth !== this.#listDepth) return
    this.#count()
    if (entry !== UNCUT || !this.#wanted) {
      this.#visitor.entry(this.#wanted ? entry : undefined)
      return
    }
    this.#assembler = new Assembler()
    this.#weight = 0
    this.#assemble(token, 0)
  }

  #scalar(token: Token, value: string | number | boolean | null, length: number): void {
    if (length > this.#limits.maxLexeme) this.#tooLong()
    if (this.#assembler !== undefined) this.#assemble(token, length)
    else if (this.#depth === 0) throw new JsonLimitError('it is JSON, but no object')
    else if (this.#depth === this.#listDepth) {
      this.#count()
      this.#visitor.entry(this.#wanted ? value : undefined)
    } else if (this.#depth === 1) this.#visitor.scalar(this.#key, undefined, value)
    else if (this.#depth === 2 && this.#inObject) this.#visitor.scalar(this.#key, this.#sub, value)
  }

  #count(): void {
    if (++this.#entries > this.#limits.maxEntries)
      throw new JsonLimitError(`it lists more than ${this.#limits.maxEntries} entries`)
  }

  #assemble(token: Token, length: number): void {
    this.#weight += length + 1
    if (this.#weight > this.#limits.maxEntry)
      throw new JsonLimitError(`one of its entries is longer than ${this.#limits.maxEntry} characters`)
    this.#assembler?.consume(token)
  }

  #tooLong(limit = this.#limits.maxLexeme): never {
    throw new JsonLimitError(`one of its values is longer than ${limit} characters`)
  }
}
