/**
 * URLs as they may be shown: in messages, logs, rows and reports.
 */

/** Strips credentials, query and fragment of a URL; what is no URL is cut at the first `?`, `#` or blank. */
export function redactUrl(url: string | URL): string {
  if (!URL.canParse(String(url)))
    return String(url)
      .slice(0, 200)
      .replace(/^[^/?#]*@|[?#\s].*$/gs, '')
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  shown.search = ''
  shown.hash = ''
  return shown.href
}
