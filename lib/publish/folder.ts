/**
 * The folder that is published to, and how a new state of it takes the place of the old one at one instant.
 *
 *     DIR/simple → .millrace/7f3a…/simple    what clients read
 *     DIR/.millrace/7f3a…/                   a tree: the pages of one version, and what they were made from
 *     DIR/files/PROJECT/KEY/FILENAME         files, whose names never come to mean other bytes
 *
 * A tree is written beside the one in use; a page that did not change is a second name of the same file. Then `simple`
 * is replaced, by a rename. Whoever reads has the pages of one version or of the other.
 */
import { randomBytes } from 'node:crypto'
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { lock } from '../catalog/sqlite/lock.js'
import { MillraceError, PublishError } from '../errors.js'

const OWN = '.millrace'
const STATE = 'state.json'

/** What a tree was made from. */
export interface TreeState {
  /** Of the layout and the pages: what another Millrace has made is not gone on from. */
  readonly format: number
  readonly repository: string
  readonly createdAt: string
  readonly version: number
  readonly fetchedRun: number
}

export class PublishFolder {
  readonly directory: string
  readonly #release: () => Promise<void>
  /** Name of the tree in use. */
  readonly #current: string | undefined
  /** Of the tree in use; `undefined` where there is none. */
  readonly state: TreeState | undefined
  readonly #name = `${process.pid}-${randomBytes(6).toString('hex')}`

  private constructor(
    directory: string,
    release: () => Promise<void>,
    current: string | undefined,
    state: TreeState | undefined
  ) {
    this.directory = directory
    this.#release = release
    this.#current = current
    this.state = state
  }

  /**
   * Takes the folder, makes it where there is none, and removes what an unfinished publication left.
   * @throws {@link PublishError} where another publication is under way, or `simple` is not ours
   */
  static async open(directory: string): Promise<PublishFolder> {
    return await wrapped(directory, async () => {
      const own = join(directory, OWN)
      await mkdir(own, { recursive: true })
      const release = await lock(join(own, 'publish'), 'all')
      if (release === undefined) throw new PublishError(directory, 'is being published to by another process')
      try {
        const current = await currentTree(directory)
        for (const entry of await readdir(own, { withFileTypes: true }))
          if (entry.name !== current && !entry.isFile()) await rm(join(own, entry.name), { recursive: true })
        const state = current === undefined ? undefined : await readState(join(own, current))
        return new PublishFolder(directory, release, current, state)
      } catch (error) {
        await release()
        throw error
      }
    })
  }

  /** The path of a page in the tree that is being made. */
  page(...names: string[]): string {
    return join(this.directory, OWN, this.#name, 'simple', ...names)
  }

  /** The path of a file that pages link to, or of a folder of them. */
  file(...names: string[]): string {
    return join(this.directory, 'files', ...names)
  }

  /** Writes the pages of a project. */
  async write(project: string, pages: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(this.page(project), { recursive: true })
    for (const [name, text] of Object.entries(pages)) await writeFile(this.page(project, name), text)
  }

  /** Takes the pages of a project from the tree in use. */
  async keep(project: string, names: readonly string[]): Promise<void> {
    await mkdir(this.page(project), { recursive: true })
    for (const name of names)
      await link(
        join(this.directory, OWN, String(this.#current), 'simple', project, name),
        this.page(project, name)
      )
  }

  /** Puts the tree that was made in place of the one in use, which is removed. */
  async use(state: TreeState): Promise<void> {
    const tree = dirname(this.page())
    await writeFile(join(tree, STATE), JSON.stringify(state))
    const made = join(this.directory, OWN, `${this.#name}.link`)
    await symlink(join(OWN, this.#name, 'simple'), made)
    await rename(made, join(this.directory, 'simple'))
    await syncFolder(this.directory)
    if (this.#current !== undefined) await rm(join(this.directory, OWN, this.#current), { recursive: true })
  }

  /** Gives the folder back. */
  async close(): Promise<void> {
    await this.#release()
  }
}

/** Runs `work`; a failure of the system says which folder it was about. */
export async function wrapped<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException
    if (error instanceof MillraceError || syscall === undefined) throw error
    throw new PublishError(directory, `cannot be written: ${(error as Error).message}`, error)
  }
}

/** The name of the tree that `simple` leads to. */
async function currentTree(directory: string): Promise<string | undefined> {
  const target = await readlink(join(directory, 'simple')).catch((error: NodeJS.ErrnoException) => error)
  if (target instanceof Error && target.code === 'ENOENT') return undefined
  const [, name] = /^\.millrace\/([^/]+)\/simple$/.exec(String(target)) ?? []
  if (name === undefined)
    throw new PublishError(directory, 'has something else called simple, which is left as it is')
  return name
}

async function readState(tree: string): Promise<TreeState | undefined> {
  try {
    return JSON.parse(await readFile(join(tree, STATE), 'utf8')) as TreeState
  } catch {
    // Somebody has tidied up: then all is written anew.
    return undefined
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
