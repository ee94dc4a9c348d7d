/**
 * Made-up projects: everything follows from the seed and a number, so 740,000 of them need no memory.
 */
import { createHash } from 'node:crypto'
import { projectDocument } from './documents.js'
import { PageStamp } from './page-stamp.js'
import { madeUpBytes, madeUpDigest, mix, normal } from './random.js'
import { type Content, contentOf, type IndexFile, type IndexProject, type IndexSource } from './source.js'

export interface MadeUpOptions {
  /** How many. @defaultValue 10 */
  readonly projects?: number | undefined
  /**
   * Files of each, or `skewed`: median 5, mean about 20, the largest 10,000, since PyPI had 12 million files
   * in 570,000 projects in 2024 (shared data, `stats`). @defaultValue 24
   */
  readonly files?: number | 'skewed' | undefined
  /**
   * Bytes of each file, which then exists with its true sha256; or `none`: sizes and digests are made up as
   * well and the files answer 404, which is cheaper where only metadata is asked for. @defaultValue 1024
   */
  readonly fileBytes?: number | 'none' | undefined
  /** @defaultValue 1 */
  readonly seed?: number | undefined
}

/** Serial of the first made-up project; the next is one higher. */
const firstSerial = 20_000_000
/** Upload times from 2016 to 2025, rising, and sizes around 60 KB: drawn from, since making one anew takes longer. */
const uploads = Array.from({ length: 4096 }, (_, at) => {
  const time = new Date(Date.UTC(2016, 0, 1) + at * 77_040_000 + (mix(at) % 77_040_000))
  return `${time.toISOString().slice(0, -1)}${String(mix(at, 1) % 1000).padStart(3, '0')}Z`
})
const sizes = Array.from({ length: 4096 }, (_, at) => Math.round(Math.exp(11 + 2 * normal(at, 3))))
/** Projects differ in as many ways, but for names and digests. */
const kinds = 64
/** Files of the longest page that is stamped. */
const maxStamped = 256
/** Digests of made-up files kept at most; they start afresh beyond. */
const maxDigests = 100_000
const platforms = [
  'manylinux_2_17_x86_64.manylinux2014_x86_64',
  'macosx_11_0_arm64',
  'win_amd64',
  'musllinux_1_2_x86_64',
  'manylinux_2_17_aarch64.manylinux2014_aarch64'
]
const pythons = ['cp310', 'cp311', 'cp312', 'cp313']
const requirements = ['>=3.8', '>=3.9', '>=3.10', '>=3.7,<4.0', '>=2.7,!=3.0.*,!=3.1.*,!=3.2.*']

/** The name of the made-up project with a number. */
export function madeUpName(index: number): string {
  return `sample-${String(index).padStart(6, '0')}`
}

export class MadeUpSource implements IndexSource {
  readonly #projects: number
  readonly #files: number | 'skewed'
  readonly #fileBytes: number | 'none'
  readonly #seed: number
  readonly #digests = new Map<string, string>()
  readonly #stamps = new Map<number, PageStamp>()
  readonly #huge: { readonly name: string; readonly bytes: number } | undefined

  constructor(
    { projects = 10, files = 24, fileBytes = 1024, seed = 1 }: MadeUpOptions = {},
    /** One more project, whose PEP 691 document has about as many bytes. */
    huge?: { readonly name: string; readonly bytes: number } | undefined
  ) {
    this.#projects = projects
    this.#files = files
    this.#fileBytes = fileBytes
    this.#seed = seed
    this.#huge = huge
  }

  get lastSerial(): number {
    return firstSerial + this.#projects
  }

  *listing(): Iterable<{ readonly name: string; readonly serial: number }> {
    if (this.#huge !== undefined) yield { name: this.#huge.name, serial: firstSerial + this.#projects }
    for (let index = 0; index < this.#projects; index++) {
      yield { name: madeUpName(index), serial: firstSerial + index }
    }
  }

  project(name: string): IndexProject | undefined {
    if (name === this.#huge?.name) {
      return this.#project(name, this.#projects, this.#hugeCount(name, this.#huge.bytes))
    }
    const index = this.#index(name)
    return index === undefined ? undefined : this.#project(name, index, this.#count(index))
  }

  content(path: string): Content | undefined {
    if (this.#fileBytes === 'none') return undefined
    const metadata = path.endsWith('.metadata')
    const filePath = metadata ? path.slice(0, -'.metadata'.length) : path
    const filename = filePath.slice(filePath.lastIndexOf('/') + 1)
    const name = filename.slice(0, filename.indexOf('-')).replaceAll('_', '-')
    const index = this.#index(name)
    if (index === undefined) return undefined
    const count = this.#count(index)
    const plan = this.#plan(name, index, count)
    for (let number = 0; number < count; number++) {
      if (filenameOf(plan, number) !== filename) continue
      const file = this.#file(plan, number)
      if (file.path !== filePath || (metadata && file.coreMetadata === false)) return undefined
      if (metadata) {
        const text = Buffer.from(metadataText(name, file.version, file.requiresPython))
        return contentOf(text, `"${sha256Of(text)}"`)
      }
      const etag = `"${file.hashes.sha256}"`
      return { size: this.#fileBytes, etag, chunks: (start, end) => madeUpBytes(filename, start, end) }
    }
    return undefined
  }

  /** The number in a name; `undefined` where there is no such project. */
  #index(name: string): number | undefined {
    const index = /^sample-\d{6,}$/.test(name) ? Number(name.slice(7)) : Number.NaN
    return index < this.#projects && madeUpName(index) === name ? index : undefined
  }

  #count(index: number): number {
    if (this.#files !== 'skewed') return this.#files
    return Math.min(10_000, Math.max(1, Math.round(5 * Math.exp(1.665 * normal(this.#seed, index)))))
  }

  /** How many files make a PEP 691 document of so many bytes, going by the first hundred. */
  #hugeCount(name: string, bytes: number): number {
    let length = 0
    const first = this.#project(name, this.#projects, 100)
    for (const text of projectDocument(first, 'json', 'http://127.0.0.1:12345')) length += text.length
    return Math.ceil((100 * bytes) / length)
  }

  #project(name: string, index: number, count: number): IndexProject {
    const plan = this.#plan(name, index, count)
    const fileOf = (number: number) => this.#file(plan, number)
    const files = {
      *[Symbol.iterator](): Iterator<IndexFile> {
        for (let number = 0; number < count; number++) yield fileOf(number)
      }
    }
    const versions = {
      *[Symbol.iterator](): Iterator<string> {
        for (let release = 0; release * plan.perRelease < count; release++) yield versionOf(release)
      }
    }
    const project = { name, serial: firstSerial + index, files, versions }
    if (plan.real || count > maxStamped || index > 999_999) return project
    return { ...project, page: base => this.#stamp(plan.kind, base).page(project, index, count) }
  }

  #plan(name: string, index: number, count: number): Plan {
    const kind = mix(this.#seed, index, 1) % kinds
    const compiled = mix(this.#seed, kind, 1) % 5 === 0
    return {
      name,
      escaped: name.replaceAll('-', '_'),
      index,
      count,
      kind,
      compiled,
      // An sdist and one wheel, or as many wheels as the kind has.
      perRelease: compiled ? 3 + (mix(this.#seed, kind, 2) % 18) : 2,
      // A document of a stated size is for reading it: true digests would take longer than all else.
      real: this.#fileBytes !== 'none' && index < this.#projects
    }
  }

  #file(plan: Plan, number: number): IndexFile {
    const { name, index, kind, perRelease, real } = plan
    const seed = this.#seed
    const release = Math.floor(number / perRelease)
    const version = versionOf(release)
    const filename = filenameOf(plan, number)
    const wheel = number % perRelease > 0
    const requiresPython = requirements[mix(seed, kind, 3) % requirements.length] as string
    const place = madeUpDigest(seed, index, 4 * number)
    const sha256 = real ? this.#digest(filename) : madeUpDigest(seed, index, 4 * number + 1)
    const core =
      real && wheel
        ? sha256Of(metadataText(name, version, requiresPython))
        : madeUpDigest(seed, index, 4 * number + 2)
    // Begins at some time and slows down as it grows older.
    const begun = mix(seed, kind, 4) % 4000
    const uploaded = begun + ((4095 - begun) * release) / (release + 60)
    return {
      filename,
      version,
      path: `/files/packages/${place.slice(0, 2)}/${place.slice(2, 4)}/${place.slice(4)}/${filename}`,
      hashes: { sha256 },
      size: real ? (this.#fileBytes as number) : sizes[mix(seed, kind, number) & 4095],
      uploadTime: uploads[Math.floor(uploaded)],
      requiresPython,
      yanked: mix(seed, kind, release + 1000) % 400 === 0 ? 'made by mistake' : false,
      packageType: wheel ? 'bdist_wheel' : 'sdist',
      coreMetadata: wheel && { sha256: core },
      provenance:
        mix(seed, kind, 9) % 5 === 0
          ? `https://pypi.org/integrity/${name}/${version}/${filename}/provenance`
          : undefined
    }
  }

  /** The stamp of a kind: all its projects have the same page but for their number and digests. */
  #stamp(kind: number, base: string): PageStamp {
    let stamp = this.#stamps.get(kind)
    if (stamp?.base !== base) {
      let index = 0
      while (mix(this.#seed, index, 1) % kinds !== kind) index++
      stamp = new PageStamp(this.#seed, base, this.#project(madeUpName(index), index, maxStamped), index)
      this.#stamps.set(kind, stamp)
    }
    return stamp
  }

  #digest(filename: string): string {
    let digest = this.#digests.get(filename)
    if (digest === undefined) {
      const hash = createHash('sha256')
      for (const chunk of madeUpBytes(filename, 0, this.#fileBytes as number)) hash.update(chunk)
      digest = hash.digest('hex')
      if (this.#digests.size >= maxDigests) this.#digests.clear()
      this.#digests.set(filename, digest)
    }
    return digest
  }
}

/** What all files of one project have in common. */
interface Plan {
  readonly name: string
  readonly escaped: string
  readonly index: number
  readonly count: number
  /** Decides all but names and digests. */
  readonly kind: number
  readonly compiled: boolean
  readonly perRelease: number
  /** The files are there, with true digests. */
  readonly real: boolean
}

function filenameOf({ escaped, perRelease, compiled }: Plan, number: number): string {
  const version = versionOf(Math.floor(number / perRelease))
  const part = number % perRelease
  if (part === 0) return `${escaped}-${version}.tar.gz`
  if (!compiled) return `${escaped}-${version}-py3-none-any.whl`
  const python = pythons[Math.floor((part - 1) / platforms.length) % pythons.length]
  return `${escaped}-${version}-${python}-${python}-${platforms[(part - 1) % platforms.length]}.whl`
}

/** Rising; each eighth is a pre-release. */
function versionOf(release: number): string {
  const patch = release % 8
  return patch === 0
    ? `${Math.floor(release / 64)}.${Math.floor(release / 8) % 8}.0rc1`
    : `${Math.floor(release / 64)}.${Math.floor(release / 8) % 8}.${patch}`
}

function metadataText(name: string, version: string, requiresPython: string | undefined): string {
  return `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nSummary: Made up\nRequires-Python: ${requiresPython}\n`
}

function sha256Of(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
