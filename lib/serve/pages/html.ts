/**
 * HTML in which what is not markup of ours is escaped, wherever it comes from: names, reasons and messages are written by
 * strangers.
 */
import { escapeHtml } from '../documents/simple-html.js'

/** Markup. */
export class Html {
  readonly markup: string

  /** @internal Use {@link html}. */
  constructor(markup: string) {
    this.markup = markup
  }
}

/** What may stand in markup; `undefined` and `false` are nothing. */
export type Content = Html | string | number | false | undefined | readonly Content[]

/** Makes markup of a template. Values may stand in elements and in attributes between double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  let markup = parts[0] as string
  values.forEach((value, at) => {
    markup += markupOf(value) + parts[at + 1]
  })
  return new Html(markup)
}

function markupOf(content: Content): string {
  if (content instanceof Html) return content.markup
  if (content === undefined || content === false) return ''
  if (typeof content === 'object') return content.map(markupOf).join('')
  return escapeHtml(String(content))
}

/** Words of strangers: what they do with the direction of writing ends with them. */
export function foreign(words: string): Html {
  return html`<bdi>${words}</bdi>`
}
