/**
 * Where the listing and the documents of an index lie.
 */

/** Which documents are asked for: those of the simple API, or warehouse's own JSON. */
export type Source = 'simple' | 'json'

/** The URL of the list of all projects. That of `…/pypi/` is beside it, at `…/simple/`. */
export function listingUrl(indexUrl: URL, source: Source): string {
  const root = withSlash(indexUrl)
  if (source === 'json' && !root.pathname.endsWith('/simple/')) {
    root.pathname = `${root.pathname.replace(/\/pypi\/$/, '/')}simple/`
  }
  return root.href
}

/**
 * Gives the URL of a project's document, for its normalised name. For `json` and the root `https://pypi.org/simple/` that
 * is `https://pypi.org/pypi/NAME/json`; the same comes of the roots `https://pypi.org/` and `https://pypi.org/pypi/`.
 */
export function documentUrls(indexUrl: URL, source: Source): (project: string) => string {
  const root = withSlash(indexUrl)
  root.search = ''
  if (source === 'json') root.pathname = `${root.pathname.replace(/\/(?:simple|pypi)\/$/, '/')}pypi/`
  // A normalised name needs no encoding; parsing 750,000 URLs would take seconds.
  const [before, after] = [root.href, source === 'json' ? '/json' : '/']
  return project => `${before}${project}${after}`
}

function withSlash(indexUrl: URL): URL {
  const root = new URL(indexUrl)
  root.hash = ''
  if (!root.pathname.endsWith('/')) root.pathname += '/'
  return root
}
