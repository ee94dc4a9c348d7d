/**
 * Changes laid over an index: projects added, removed, renamed, their files yanked or uploaded again.
 * Each change gives its project the next serial, as on PyPI.
 */
import { createHash } from 'node:crypto'
import {
  type Content,
  contentOf,
  type IndexFile,
  type IndexProject,
  type IndexSource,
  normalise
} from './source.js'

/** A file to add. Whatever is left out follows from its name and content. */
export interface NewFile extends Partial<Omit<IndexFile, 'filename' | 'path'>> {
  readonly filename: string
  /** Its bytes; the name itself when left out. */
  readonly content?: Buffer | string | undefined
  /** Where it lies; `/files/packages/…` when left out. May be an absolute URL. */
  readonly path?: string | undefined
  /** Its METADATA, served beside it. */
  readonly metadata?: string | undefined
}

/** A project to add. Its document may be given as text, to be served as it is. */
export interface NewProject {
  readonly name: string
  readonly files?: readonly NewFile[] | undefined
  readonly status?: string | undefined
  readonly statusReason?: string | undefined
  readonly recorded?: IndexProject['recorded']
}

type Held = { -readonly [K in keyof IndexProject]: IndexProject[K] } & {
  files: IndexFile[]
  versions: string[]
}

export class Overlay implements IndexSource {
  readonly #base: IndexSource
  /** `undefined` where the project was removed. */
  readonly #projects = new Map<string, Held | undefined>()
  readonly #contents = new Map<string, Content | undefined>()
  #lastSerial: number

  constructor(base: IndexSource) {
    this.#base = base
    this.#lastSerial = base.lastSerial
  }

  get lastSerial(): number {
    return this.#lastSerial
  }

  *listing(): Iterable<{ readonly name: string; readonly serial: number }> {
    for (const entry of this.#base.listing()) {
      if (!this.#projects.has(normalise(entry.name))) yield entry
    }
    for (const project of this.#projects.values()) if (project !== undefined) yield project
  }

  project(name: string): IndexProject | undefined {
    return this.#projects.has(name) ? this.#projects.get(name) : this.#base.project(name)
  }

  content(path: string): Content | undefined {
    return this.#contents.has(path) ? this.#contents.get(path) : this.#base.content(path)
  }

  /** Adds a project, or puts it in the place of the one with its name. */
  add({ name, files = [], status, statusReason, recorded }: NewProject): void {
    const project: Held = {
      name,
      serial: ++this.#lastSerial,
      files: [],
      versions: [],
      status,
      statusReason,
      recorded
    }
    for (const file of files) this.#put(project, file)
    this.#projects.set(normalise(name), project)
  }

  /** Adds a file, or uploads it again: the same name with other content lies at another place. */
  upload(name: string, file: NewFile): void {
    const project = this.#change(name)
    this.#removeFile(project, file.filename)
    this.#put(project, file)
  }

  /** Adds a version with an sdist and a wheel, later than all others; gives its number. */
  release(name: string): string {
    const project = this.#change(name)
    const version = `1000.${project.serial}`
    const escaped = normalise(name).replaceAll('-', '_')
    this.#put(project, { filename: `${escaped}-${version}.tar.gz`, version })
    this.#put(project, {
      filename: `${escaped}-${version}-py3-none-any.whl`,
      version,
      metadata: `Version: ${version}\n`
    })
    return version
  }

  /** Changes what the index says of a file, such as `yanked` or `requiresPython`. */
  describe(name: string, filename: string, changes: Partial<IndexFile>): void {
    const project = this.#change(name)
    project.files[this.#position(project, filename)] = { ...this.#found(project, filename), ...changes }
  }

  yank(name: string, filename: string, reason = ''): void {
    this.describe(name, filename, { yanked: reason })
  }

  /** Removes a file, or the whole project. Its bytes answer 404 from then on. */
  remove(name: string, filename?: string): void {
    const project = this.#change(name)
    if (filename !== undefined) {
      this.#found(project, filename)
      this.#removeFile(project, filename)
      return
    }
    for (const file of project.files) this.#contents.set(file.path, undefined)
    this.#projects.set(normalise(name), undefined)
  }

  rename(name: string, newName: string): void {
    const project = this.#change(name)
    this.#projects.set(normalise(name), undefined)
    this.#projects.set(normalise(newName), { ...project, name: newName, recorded: undefined })
  }

  /** Gives a project the next serial though nothing changed. */
  touch(name: string): void {
    this.#change(name)
  }

  #change(name: string): Held {
    const key = normalise(name)
    const found = this.project(key)
    if (found === undefined) throw new Error(`No project ${name} in the index`)
    const held = this.#projects.get(key)
    const project = held ?? {
      ...found,
      files: [...found.files],
      versions: [...found.versions],
      page: undefined
    }
    project.serial = ++this.#lastSerial
    this.#projects.set(key, project)
    return project
  }

  #put(project: Held, { filename, content = filename, path, metadata, ...rest }: NewFile): void {
    const data = Buffer.from(content)
    const sha256 = createHash('sha256').update(data).digest('hex')
    const blake = createHash('blake2b512').update(filename).update(data).digest('hex')
    const wheel = filename.endsWith('.whl')
    const file: IndexFile = {
      filename,
      version: rest.version ?? versionFrom(filename),
      path:
        path ?? `/files/packages/${blake.slice(0, 2)}/${blake.slice(2, 4)}/${blake.slice(4, 64)}/${filename}`,
      hashes: rest.hashes ?? { sha256 },
      size: 'size' in rest ? rest.size : data.length,
      uploadTime: 'uploadTime' in rest ? rest.uploadTime : '2025-06-01T12:00:00.000000Z',
      requiresPython: rest.requiresPython,
      yanked: rest.yanked ?? false,
      packageType:
        rest.packageType ?? (wheel ? 'bdist_wheel' : filename.endsWith('.egg') ? 'bdist_egg' : 'sdist'),
      coreMetadata: rest.coreMetadata ?? (metadata === undefined ? false : { sha256: sha256Of(metadata) }),
      provenance: rest.provenance
    }
    this.#contents.set(file.path, contentOf(data, `"${sha256}"`))
    if (metadata !== undefined) {
      this.#contents.set(`${file.path}.metadata`, contentOf(Buffer.from(metadata), `"${sha256Of(metadata)}"`))
    }
    if (!project.versions.includes(file.version)) project.versions.push(file.version)
    // Beside its version: the legacy document is written in one pass.
    const beside = project.files.findLastIndex(other => other.version === file.version)
    project.files.splice(beside < 0 ? project.files.length : beside + 1, 0, file)
    project.recorded = undefined
  }

  #removeFile(project: Held, filename: string): void {
    const at = project.files.findIndex(file => file.filename === filename)
    const [file] = at < 0 ? [] : project.files.splice(at, 1)
    if (file === undefined) return
    this.#contents.set(file.path, undefined)
    this.#contents.set(`${file.path}.metadata`, undefined)
    project.versions = project.versions.filter(version =>
      project.files.some(other => other.version === version)
    )
    project.recorded = undefined
  }

  #position(project: Held, filename: string): number {
    return project.files.findIndex(file => file.filename === filename)
  }

  #found(project: Held, filename: string): IndexFile {
    const file = project.files[this.#position(project, filename)]
    if (file === undefined) throw new Error(`No file ${filename} in ${project.name}`)
    project.recorded = undefined
    return file
  }
}

function versionFrom(filename: string): string {
  return /^.+?-(\d[^-]*?)(?:-|\.tar|\.zip|\.egg|\.exe|$)/.exec(filename)?.[1] ?? '0'
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
