/**
 * The ids of a repository's projects, as far as a run has met them lately.
 */
import type { Connection } from './database.js'
import { insertProjects, type ProjectName, projectIds } from './projects.js'
import { RecentMap } from './recent-map.js'

/** A project's id. */
export interface ProjectId {
  readonly id: number
  /** Whether this run made its row, so that none of its packages can be known. */
  readonly fresh: boolean
}

/** Projects whose ids are remembered; one is in use for as long as its packages are on their way. */
const REMEMBERED_PROJECTS = 16_384

export class ProjectIds {
  readonly #repositoryId: number
  readonly #remembered = new RecentMap<string, ProjectId>(REMEMBERED_PROJECTS)

  constructor(repositoryId: number) {
    this.#repositoryId = repositoryId
  }

  /** To be called after the commit of the transaction that read or made them. */
  remember(ids: Iterable<readonly [project: string, id: ProjectId]>): void {
    for (const [project, id] of ids) this.#remembered.set(project, id)
  }

  /** Whether it is remembered that this run made the project's row. */
  isFresh(project: string): boolean {
    return this.#remembered.get(project)?.fresh === true
  }

  /** The ids that are remembered, if those are all that `items` need. */
  recall(items: readonly ProjectName[]): ReadonlyMap<string, ProjectId> | undefined {
    const [ids, unknown] = this.#split(items)
    return unknown.size === 0 ? ids : undefined
  }

  /** The ids of the projects of a batch. Those without a row are made one with `make`, or else left out. */
  async find(
    connection: Connection,
    items: readonly ProjectName[],
    make: boolean
  ): Promise<Map<string, ProjectId>> {
    const [ids, unknown] = this.#split(items)
    if (unknown.size === 0) return ids
    for (const { project, id } of await projectIds(connection, this.#repositoryId, [...unknown.keys()])) {
      ids.set(project, { id, fresh: false })
      unknown.delete(project)
    }
    if (make && unknown.size > 0) {
      const made = await insertProjects(connection, this.#repositoryId, [...unknown.values()])
      for (const { project, id, fresh } of made) ids.set(project, { id, fresh })
    }
    return ids
  }

  #split(items: readonly ProjectName[]): [Map<string, ProjectId>, Map<string, ProjectName>] {
    const ids = new Map<string, ProjectId>()
    const unknown = new Map<string, ProjectName>()
    for (const { project, name } of items) {
      if (ids.has(project) || unknown.has(project)) continue
      const remembered = this.#remembered.get(project)
      // The URL of a package is its file's, not the project's, and so left out.
      if (remembered === undefined) unknown.set(project, { project, name })
      else ids.set(project, remembered)
    }
    return [ids, unknown]
  }
}
