/**
 * URLs as they may be shown: in messages, logs, rows and reports.
 */

/** Longer ones say no more to a reader. */
const MAX_SHOWN_LENGTH = 500

/** Nothing in it can be credentials, a query or a fragment. */
const PLAIN = /^https?:\/\/[a-z0-9.:-]+\/[\w.~/+=,-]*$/

/** Strips credentials, query and fragment of a URL, and of what is not quite one everything that might be those. */
export function redactUrl(url: string | URL): string {
  const text = String(url)
  // Most have nothing to strip, and taking a URL apart costs as much as all else that is done for a request.
  if (PLAIN.test(text)) return shorten(text)
  if (/^https?:/i.test(text) && URL.canParse(text)) {
    const shown = new URL(text)
    shown.username = ''
    shown.password = ''
    shown.search = ''
    shown.hash = ''
    return shorten(shown.href)
  }
  // A password may hold any character: whatever stands before the last `@` goes first.
  const scheme = /^[a-z][a-z\d+.-]*:\/\//i.exec(text)?.[0] ?? ''
  const rest = text.slice(Math.max(scheme.length, text.lastIndexOf('@') + 1))
  return shorten(scheme + rest.replace(/[?#\s].*$/s, ''))
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
}
