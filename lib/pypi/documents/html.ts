/**
 * The links and the few other things of a page that an index means, read piece by piece with htmlparser2.
 */
import { type Handler, Parser } from 'htmlparser2'
import type { Outline, RawEntry } from './format.js'
import { MAX_OUTLINE_TEXT } from './json.js'
import type { DocumentLimits } from './limits.js'

/** A page passes a limit. */
export class HtmlLimitError extends Error {}

/** A link of a page. */
export interface Anchor {
  /** `href` and the attributes that start with `data-`; an attribute without a value is empty. */
  readonly attributes: RawEntry & { readonly href: string }
  /** What stands between the tags, up to the first closing one. */
  readonly text: string
}

const FILE = /\.(?:whl|egg|exe|msi|rpm|dmg|deb|zip|tgz|tbz2?|txz|tlz|tar|tar\.[a-z0-9]+)$/i
const MAX_METAS = 100

/** Whether a link leads to a file of a package, by the end of its path. */
export function leadsToFile(href: string): boolean {
  const end = href.search(/[?#]/)
  return FILE.test(end < 0 ? href : href.slice(0, end))
}

/**
 * htmlparser2 keeps the open elements in a list that it shifts at each one; nothing here asks for nesting, and a page
 * of unclosed tags would take quadratic time. No element that may have content, no list.
 */
class FlatParser extends Parser {
  readonly #tag: { readonly end: () => void; readonly close: () => void }

  constructor(handler: Partial<Handler>, tag: { readonly end: () => void; readonly close: () => void }) {
    super(handler)
    this.#tag = tag
  }

  protected override isVoidElement(): boolean {
    return true
  }

  override onopentagend(endIndex: number): void {
    super.onopentagend(endIndex)
    this.#tag.end()
  }

  override onclosetag(start: number, endIndex: number): void {
    super.onclosetag(start, endIndex)
    this.#tag.close()
  }
}

/** Reads one page. */
export class HtmlScan implements Outline {
  /** `<base href>`; the first one counts. */
  base: string | undefined
  readonly #parser: FlatParser
  readonly #limits: Pick<DocumentLimits, 'maxLexeme' | 'maxEntry' | 'maxEntries'>
  readonly #onAnchor: (anchor: Anchor) => void
  readonly #metas = new Map<string, string>()
  #fed = 0
  #tag = ''
  #attributes: Record<string, string> = {}
  #weight = 0
  #anchor: (RawEntry & { href: string }) | undefined
  /** Which text is being collected. */
  #collecting: 'anchor' | 'title' | 'h1' | undefined
  readonly #texts = { anchor: '', title: '', h1: '' }
  #headings = 0
  #serial: number | undefined
  #links = 0
  #files = 0

  constructor(
    limits: Pick<DocumentLimits, 'maxLexeme' | 'maxEntry' | 'maxEntries'>,
    onAnchor: (anchor: Anchor) => void
  ) {
    this.#limits = limits
    this.#onAnchor = onAnchor
    this.#parser = new FlatParser(
      {
        onopentagname: name => this.#openTag(name),
        onattribute: (name, value) => this.#attribute(name, value),
        ontext: text => this.#text(text),
        oncomment: comment => this.#comment(comment),
        onend: () => this.#endAnchor()
      },
      { end: () => this.#endTag(), close: () => this.#closeTag() }
    )
  }

  /** Takes the next piece. @throws {@link HtmlLimitError} */
  write(text: string): void {
    this.#fed += text.length
    this.#parser.write(text)
    // What comes to no end is kept by the parser: a comment, a tag, an attribute.
    if (this.#fed - this.#parser.endIndex > this.#limits.maxLexeme + text.length)
      throw new HtmlLimitError(
        `one of its tags or comments is longer than ${this.#limits.maxLexeme} characters`
      )
  }

  end(): void {
    this.#parser.end()
  }

  value(path: string): string | number | undefined {
    if (path === 'title') return `${this.#texts.title.trim()} ${this.#texts.h1.trim()}`.trim()
    if (path === 'serial') return this.#serial
    return this.#metas.get(path)
  }

  /** Of `files`, and of `links`: all that lead away from the page. */
  count(list: string): number | undefined {
    return list === 'files' ? this.#files : list === 'links' ? this.#links : undefined
  }

  #openTag(name: string): void {
    if (name === 'a') this.#endAnchor()
    if (this.#collecting !== 'anchor') this.#collecting = undefined
    this.#tag = name
    this.#weight = 0
  }

  #attribute(name: string, value: string): void {
    const tag = this.#tag
    const wanted =
      tag === 'a'
        ? name === 'href' || name.startsWith('data-')
        : tag === 'meta'
          ? name === 'name' || name === 'content'
          : tag === 'base' && name === 'href'
    if (!wanted) return
    this.#weight += name.length + value.length
    if (this.#weight > this.#limits.maxEntry)
      throw new HtmlLimitError(`one of its tags is longer than ${this.#limits.maxEntry} characters`)
    // As browsers do: the first of two equal attributes counts. `data-` and the names above cannot be `__proto__`.
    this.#attributes[name] ??= value
  }

  #endTag(): void {
    const tag = this.#tag
    this.#tag = ''
    if (tag === 'title' || (tag === 'h1' && this.#headings++ === 0)) this.#collecting = tag
    const { href, name, content } = this.#attributes
    if (this.#weight > 0) {
      if (tag === 'a' && href !== undefined) this.#startAnchor({ ...this.#attributes, href: href.trim() })
      else if (tag === 'base') this.base ??= href?.trim()
      else if (tag === 'meta' && name !== undefined && this.#metas.size < MAX_METAS)
        this.#metas.set(
          `meta.${name.toLowerCase().slice(0, 100)}`,
          (content ?? '').slice(0, MAX_OUTLINE_TEXT)
        )
      this.#attributes = {}
    }
  }

  #startAnchor(anchor: RawEntry & { href: string }): void {
    // A place on the same page, or an order in which to list it.
    if (anchor.href === '' || anchor.href.startsWith('#') || anchor.href.startsWith('?')) return
    if (++this.#links > this.#limits.maxEntries)
      throw new HtmlLimitError(`it has more than ${this.#limits.maxEntries} links`)
    if (leadsToFile(anchor.href)) this.#files++
    this.#anchor = anchor
    this.#texts.anchor = ''
    this.#collecting = 'anchor'
  }

  #text(text: string): void {
    const which = this.#collecting
    if (which === undefined || this.#texts[which].length > MAX_OUTLINE_TEXT) return
    this.#texts[which] += text.slice(0, MAX_OUTLINE_TEXT)
  }

  #closeTag(): void {
    this.#endAnchor()
    this.#collecting = undefined
  }

  #endAnchor(): void {
    const attributes = this.#anchor
    if (attributes === undefined) return
    this.#anchor = undefined
    this.#collecting = undefined
    this.#onAnchor({ attributes, text: this.#texts.anchor.trim() })
  }

  #comment(comment: string): void {
    // Warehouse's at the end of a page.
    const serial = /^SERIAL (\d{1,15})$/.exec(comment.trim())?.[1]
    if (serial !== undefined) this.#serial = Number(serial)
  }
}
