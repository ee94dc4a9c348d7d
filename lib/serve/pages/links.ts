/**
 * Where pages and files are, relative to the page that links to them: a proxy may have put any prefix before our paths.
 */
import type { IndexedPackage } from '../../catalog/index-reader.js'
import { filePath } from '../documents/page.js'

/** Below this all pages are but the first one. No repository's index is there. */
export const BASE = '/-/repositories'

export type Query = Readonly<Record<string, string | number | undefined>>

export class Links {
  /** The way up to the root: empty, or some `../`. */
  readonly #root: string

  /** `path` is that of the page that links. */
  constructor(path: string) {
    this.#root = '../'.repeat(path.split('/').length - 2)
  }

  get home(): string {
    return this.#root === '' ? './' : this.#root
  }

  get queue(): string {
    return `${this.#root}-/queue/`
  }

  asset(name: string): string {
    return `${this.#root}-/assets/${name}`
  }

  /** A page of a repository; `asked` is its name, or `NAME@VERSION`. */
  to(asked: string, page: string | number = '', query: Query = {}): string {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      if (value !== undefined && value !== '') search.set(name, String(value))
    const text = search.toString()
    return `${this.#root}${BASE.slice(1)}/${encodeURIComponent(asked)}/${page}${text && `?${text}`}`
  }

  project(asked: string, project: string): string {
    return this.to(asked, `projects/${encodeURIComponent(project)}`)
  }

  simple(asked: string, project: string): string {
    return `${this.#root}${encodeURIComponent(asked)}/simple/${encodeURIComponent(project)}/`
  }

  file(asked: string, pkg: IndexedPackage): string {
    return `${this.#root}${encodeURIComponent(asked)}/${filePath(pkg)}`
  }
}
