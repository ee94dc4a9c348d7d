/**
 * Which options a project's state was had under. What was had under more than is asked for now need not be had again:
 * marked for removals (`mirror`), or with its files.
 */
export interface ProjectKeyOptions {
  /** Stands for all other options that decide which packages a project has. */
  readonly keyOf: (project: string) => string
  readonly mirror: boolean
  /** Whether the files come with their packages. */
  readonly files: boolean
}

export class ProjectKeys {
  readonly #keyOf: (project: string) => string
  readonly #suffix: string
  /** What may follow a project's key, if its state is to count. */
  readonly accepted: readonly string[]

  constructor({ keyOf, mirror, files }: ProjectKeyOptions) {
    this.#keyOf = keyOf
    this.#suffix = suffix(mirror, files)
    const either = [false, true]
    this.accepted = either.flatMap(more => either.map(most => suffix(mirror || more, files || most)))
  }

  /** The key of a project, without what may follow it. */
  of(project: string): string {
    return this.#keyOf(project)
  }

  /** The key that a state is written with. */
  written(project: string): string {
    return this.#keyOf(project) + this.#suffix
  }
}

function suffix(mirror: boolean, files: boolean): string {
  return `${mirror ? ' mirror' : ''}${files ? ' files' : ''}`
}
