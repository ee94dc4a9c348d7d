/**
 * Cuts the entries of lists out of JSON text, before a tokenizer sees it.
 *
 * Nearly all of a long document are entries of some hundred characters. Found by their braces and given to `JSON.parse`
 * they are read in half the time that their tokens take; what is left, an empty object in the place of each, is the frame that
 * stream-json reads. What an entry is, is decided by its place alone: an object in an array, two or three deep.
 */
import { type DocumentLimits, JsonLimitError } from './limits.js'

/** Code units of an entry that is parsed at once: whatever is in it, `JSON.parse` has done it in some 25 ms. */
const MAX_CUT = 64 * 1024

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Stands in the place of an entry that is too long to be cut out: its tokens follow. */
export const UNCUT = Symbol('uncut')

/** Whether the objects in an array so deep are entries: that of `{ list: [] }`, or of `{ list: { group: [] } }`. */
export function holdsEntries(depth: number): boolean {
  return depth === 2 || depth === 3
}

export class EntryCutter {
  /** What was cut out, in order, and {@link UNCUT} for what was not. Whoever meets an object there takes the first. */
  readonly entries: unknown[] = []
  readonly #maxCut: number
  readonly #maxDepth: number
  #depth = 0
  /** Which of the open containers are arrays that hold entries. */
  readonly #arrays: boolean[] = []
  #inString = false
  /** Whether the first code unit of the next piece is escaped. */
  #escaped = false
  /** Depth in which the entry lies that is being cut out; 0 outside of entries. */
  #cutting = 0
  /** What there is of it in pieces before. */
  #held = ''

  constructor({
    maxDepth,
    maxLexeme,
    maxEntry
  }: Pick<DocumentLimits, 'maxDepth' | 'maxLexeme' | 'maxEntry'>) {
    this.#maxDepth = maxDepth
    // Half: as it is weighed, `[1,2]` is longer than its text.
    this.#maxCut = Math.min(MAX_CUT, maxLexeme, Math.floor(maxEntry / 2))
  }

  /** Takes the next piece of text, never empty. @returns what the tokenizer is to see of it @throws SyntaxError; {@link JsonLimitError} */
  cut(text: string): string {
    let frame = ''
    // Where that begins which is neither in the frame nor in an entry yet.
    let from = 0
    let at = this.#inString ? endOfString(text, this.#escaped ? 1 : 0) + 1 : 0
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) at = endOfString(text, at + 1)
      else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        if (code === OPEN_OBJECT && this.#cutting === 0 && this.#arrays[this.#depth]) {
          frame += text.slice(from, at)
          from = at
          this.#cutting = this.#depth
        }
        this.#open(code === OPEN_ARRAY)
      } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
        this.#depth--
        if (this.#cutting > 0 && this.#depth === this.#cutting) {
          this.#held += text.slice(from, at + 1)
          from = at + 1
          frame += this.#held.length <= this.#maxCut ? this.#take() : this.#giveUp()
        }
      }
    }
    this.#inString = at > text.length
    this.#escaped = at > text.length + 1
    const rest = text.slice(from)
    if (this.#cutting === 0) return frame + rest
    this.#held += rest
    return this.#held.length <= this.#maxCut ? frame : frame + this.#giveUp()
  }

  /** What is left when the text is over: the beginning of an entry without its end. */
  end(): string {
    return this.#cutting === 0 ? '' : this.#giveUp()
  }

  #take(): string {
    this.entries.push(JSON.parse(this.#held))
    this.#held = ''
    this.#cutting = 0
    return '{}'
  }

  #giveUp(): string {
    const beginning = this.#held
    this.entries.push(UNCUT)
    this.#held = ''
    this.#cutting = 0
    return beginning
  }

  #open(isArray: boolean): void {
    const depth = ++this.#depth
    if (depth > this.#maxDepth) throw new JsonLimitError(`it is nested deeper than ${this.#maxDepth}`)
    this.#arrays[depth] = isArray && holdsEntries(depth)
  }
}

/**
 * Where the quote is that ends the string which goes on at `from`; past the end of `text` where there is none, and one
 * more where what comes next is escaped.
 */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    if (!isEscaped(text, from, quote)) return quote
  }
  return isEscaped(text, from, text.length) ? text.length + 1 : text.length
}

/** Whether an odd number of backslashes lies before `at`. */
function isEscaped(text: string, from: number, at: number): boolean {
  let first = at
  while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--
  return (at - first) % 2 === 1
}
