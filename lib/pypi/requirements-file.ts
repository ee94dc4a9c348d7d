/**
 * Reads a requirements file as pip reads it, with the files that it names by `-r` and `-c`.
 *
 * What pip would install without an index (paths, URLs, version control, `-e`) is set aside and said, not refused;
 * what pip refuses is refused, with `FILE:LINE`. Nothing is fetched: a file on the web is refused too.
 *
 * @see https://pip.pypa.io/en/stable/reference/requirements-file-format/
 */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RequirementError } from '../errors.js'
import { parseRequirement, type Requirement } from './requirement.js'
import { decodeRequirements, requirementLines } from './requirements-lines.js'
import { divideLine, type LineOption, parseLineOptions } from './requirements-options.js'

/** A line that no index has a part in. */
export interface IgnoredLine {
  readonly text: string
  readonly why: string
  /** `FILE:LINE` */
  readonly where: string
}

/** What a requirements file asks for. */
export interface RequirementsFile {
  /** In their order, narrowed by the constraints of `-c` files. A project may come more than once. */
  readonly requirements: readonly Requirement[]
  readonly ignored: readonly IgnoredLine[]
  /** Options for all requirements, such as `--index-url` and `--pre`, in their order; it is the caller's to obey them. */
  readonly options: readonly (LineOption & { readonly where: string })[]
}

export interface ReadRequirementsOptions {
  /** For `${NAME}`. @defaultValue process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

const ARCHIVE = /^\S+\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))$/i
const NOT_BY_NAME = /^(?:[\w+.-]+:\/\/|[a-z]+\+|file:|\.|\/|~|[a-z]:[\\/])|^[\w.-]*[\\/]/i

/**
 * Reads a requirements file and those that it names.
 * @throws {@link RequirementError} for a line that pip would not take, or a file that cannot be read.
 */
export async function readRequirementsFile(
  path: string,
  { env = process.env }: ReadRequirementsOptions = {}
): Promise<RequirementsFile> {
  const reader = new Reader(env)
  await reader.read(path, false, [], undefined)
  return reader.result()
}

class Reader {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #requirements: Requirement[] = []
  readonly #constraints: Requirement[] = []
  readonly #ignored: IgnoredLine[] = []
  readonly #options: (LineOption & { readonly where: string })[] = []

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env
  }

  /** @param within The files that led here. @param from `FILE:LINE` of the line that names this one. */
  async read(
    path: string,
    constraint: boolean,
    within: readonly string[],
    from: string | undefined
  ): Promise<void> {
    if (within.includes(path)) throw new RequirementError(path, 'the file names itself, by -r or -c', from)
    const data = await readFile(path).catch(error => {
      throw new RequirementError(path, `the file cannot be read: ${(error as Error).message}`, from)
    })
    for (const { number, text } of requirementLines(decodeRequirements(data, path), this.#env)) {
      const where = `${path}:${number}`
      const { requirement, options } = divideLine(text)
      const parsed = parseLineOptions(options, where)
      if (requirement !== '') this.#take(requirement, constraint, where)
      else await this.#obey(parsed, path, [...within, path], where)
    }
  }

  /** Options behind a requirement (`--hash`, …) say how to install, so they end here. */
  #take(text: string, constraint: boolean, where: string): void {
    const bare = text.replace(/\s*(?:;.*)?$/s, '')
    if (NOT_BY_NAME.test(bare) || ARCHIVE.test(bare)) {
      this.#ignored.push({ text, why: 'it is a path or a URL, not the name of a project', where })
      return
    }
    const requirement = parseRequirement(text, where)
    if (requirement.url !== undefined)
      this.#ignored.push({ text, why: 'it comes from its own URL, not from an index', where })
    else (constraint ? this.#constraints : this.#requirements).push(requirement)
  }

  async #obey(
    options: readonly LineOption[],
    path: string,
    within: readonly string[],
    where: string
  ): Promise<void> {
    for (const { name, value } of options) {
      if (name === '--requirement' || name === '--constraint')
        await this.read(nested(path, value as string, where), name === '--constraint', within, where)
      else if (name === '--editable')
        this.#ignored.push({ text: `-e ${value}`, why: 'it is installed from its source', where })
      else this.#options.push({ name, value, where })
    }
  }

  /** A constraint with a marker holds in some environments only, so it takes no version from all of them. */
  result(): RequirementsFile {
    const requirements = this.#requirements.map(requirement => {
      const narrowing = this.#constraints.filter(
        ({ project, marker }) => project === requirement.project && marker === undefined
      )
      const specifiers = [requirement, ...narrowing].flatMap(each => each.specifiers)
      return { ...requirement, specifiers }
    })
    return { requirements, ignored: this.#ignored, options: this.#options }
  }
}

/** Where a file that another one names lies: relative to that other one. */
function nested(path: string, named: string, where: string): string {
  if (/^file:/i.test(named)) return fileURLToPath(named)
  if (/^[a-z]+:\/\//i.test(named))
    throw new RequirementError(named, 'a requirements file on the web is not fetched', where)
  return isAbsolute(named) ? named : join(dirname(path), named)
}
