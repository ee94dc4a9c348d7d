/**
 * Real files and real documents: a folder of wheels with its `all.json`, and recorded documents of PyPI.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  type Content,
  contentOf,
  type IndexFile,
  type IndexProject,
  type IndexSource,
  normalise
} from './source.js'
import { readZipEntry } from './zip-entry.js'

/** The parts of `/pypi/NAME/json` that are read. */
interface LegacyFile {
  readonly filename: string
  readonly url: string
  readonly digests?: Record<string, string>
  readonly size?: number
  readonly upload_time_iso_8601?: string
  readonly requires_python?: string | null
  readonly packagetype?: string
  readonly yanked?: boolean
  readonly yanked_reason?: string | null
}

/** The parts of a PEP 691 page that are read. */
interface PageFile {
  readonly filename: string
  readonly url: string
  readonly hashes?: Record<string, string>
  readonly size?: number
  readonly 'upload-time'?: string
  readonly 'requires-python'?: string | null
  readonly 'core-metadata'?: boolean | Record<string, string>
  readonly yanked?: boolean | string
  readonly provenance?: string | null
}

/** Of projects whose documents have none. */
const wheelSerial = 1000

/** Projects and bytes that lie in memory. */
class HeldSource implements IndexSource {
  readonly projects = new Map<string, IndexProject>()
  readonly contents = new Map<string, Content>()

  get lastSerial(): number {
    return Math.max(0, ...[...this.projects.values()].map(({ serial }) => serial))
  }

  listing(): Iterable<{ readonly name: string; readonly serial: number }> {
    return this.projects.values()
  }

  project(name: string): IndexProject | undefined {
    return this.projects.get(name)
  }

  content(path: string): Content | undefined {
    return this.contents.get(path)
  }
}

/** The folder of real wheels that the npm package `@jupyterlite/pyodide-kernel` brings along. */
export function pyodideWheels(): string {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('@jupyterlite/pyodide-kernel/package.json')), 'pypi')
}

/** Serves a folder of wheels whose `all.json` describes them as the legacy format does. Sizes, digests and METADATA are read from the wheels. */
export function wheelSource(folder: string): IndexSource {
  const source = new HeldSource()
  const all = JSON.parse(readFileSync(join(folder, 'all.json'), 'utf8')) as Record<
    string,
    { readonly releases: Record<string, readonly LegacyFile[]> }
  >
  for (const [name, { releases }] of Object.entries(all)) {
    const files: IndexFile[] = []
    for (const [version, entries] of Object.entries(releases)) {
      for (const entry of entries) {
        const data = readFileSync(join(folder, entry.filename))
        const sha256 = sha256Of(data)
        const path = `/files/packages/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4)}/${entry.filename}`
        const metadata = readZipEntry(data, /^[^/]+\.dist-info\/METADATA$/)
        source.contents.set(path, contentOf(data, `"${sha256}"`))
        if (metadata !== undefined)
          source.contents.set(`${path}.metadata`, contentOf(metadata, `"${sha256Of(metadata)}"`))
        const core = metadata !== undefined && { sha256: sha256Of(metadata) }
        const described = fromLegacy(entry, version)
        files.push({ ...described, path, hashes: { sha256 }, size: data.length, coreMetadata: core })
      }
    }
    source.projects.set(normalise(name), {
      name,
      serial: wheelSerial,
      files,
      versions: Object.keys(releases)
    })
  }
  return source
}

/**
 * Serves recorded documents of PyPI and the files that go with them: `pypi-json/poetry`, `simple-json/poetry`,
 * `dists` and `metadata` of the shared data. Each project is there once, in the variant most of whose files are there.
 */
export function recordedSource(folder: string): IndexSource {
  const source = new HeldSource()
  const bySha256 = new Map<string, Buffer>()
  for (const part of ['dists', 'metadata']) {
    for (const path of filesBelow(join(folder, part))) {
      const data = readFileSync(path)
      bySha256.set(sha256Of(data), data)
    }
  }
  for (const [name, { page, legacy }] of recordedDocuments(folder, bySha256)) {
    // Where there is only one of the two formats, the other is made from it.
    const files = page?.files ?? legacy?.files ?? []
    const versions = [...new Set(files.map(file => file.version))]
    const serial = page?.serial ?? legacy?.serial ?? wheelSerial
    const recorded = { json: page?.text, legacy: legacy?.text }
    source.projects.set(name, { name: page?.name ?? legacy?.name ?? name, serial, files, versions, recorded })
    for (const file of [...(page?.files ?? []), ...(legacy?.files ?? [])]) {
      const data = bySha256.get(file.hashes.sha256 ?? '')
      if (data !== undefined) source.contents.set(file.path, contentOf(data, `"${file.hashes.sha256}"`))
      const core = typeof file.coreMetadata === 'object' ? file.coreMetadata.sha256 : undefined
      const metadata = core === undefined ? undefined : bySha256.get(core)
      if (metadata !== undefined)
        source.contents.set(`${file.path}.metadata`, contentOf(metadata, `"${core}"`))
    }
  }
  return source
}

interface RecordedDocument {
  readonly name: string
  readonly text: string
  readonly serial: number
  readonly files: readonly IndexFile[]
  /** Share of its files whose bytes are there. */
  readonly share: number
}

interface BothDocuments {
  page?: RecordedDocument | undefined
  legacy?: RecordedDocument | undefined
}

function recordedDocuments(folder: string, bytes: ReadonlyMap<string, Buffer>): Map<string, BothDocuments> {
  const found = new Map<string, BothDocuments>()
  for (const part of ['page', 'legacy'] as const) {
    const directory = join(folder, part === 'page' ? 'simple-json' : 'pypi-json', 'poetry')
    for (const entry of existsSync(directory) ? readdirSync(directory).sort() : []) {
      const text = readFileSync(join(directory, entry), 'utf8')
      const { name, serial, files } = part === 'page' ? readPage(text) : readLegacy(text)
      if (name === undefined || files.length === 0) continue
      const share = files.filter(file => bytes.has(file.hashes.sha256 ?? '')).length / files.length
      const both = found.get(normalise(name)) ?? {}
      if (share > (both[part]?.share ?? -1)) both[part] = { name, serial, text, files, share }
      found.set(normalise(name), both)
    }
  }
  return found
}

function readPage(text: string): Read {
  const page = JSON.parse(text) as {
    meta?: { '_last-serial'?: number }
    name?: string
    files?: readonly PageFile[]
  }
  const files = (page.files ?? []).map(file => ({
    filename: file.filename,
    version: versionOf(file.filename),
    path: pathOf(file.url),
    hashes: file.hashes ?? {},
    size: file.size,
    uploadTime: file['upload-time'],
    requiresPython: file['requires-python'] ?? undefined,
    yanked: file.yanked === true ? '' : (file.yanked ?? false),
    packageType: file.filename.endsWith('.whl') ? 'bdist_wheel' : 'sdist',
    coreMetadata: file['core-metadata'] ?? false,
    provenance: file.provenance ?? undefined
  }))
  return { name: page.name, serial: page.meta?.['_last-serial'] || wheelSerial, files }
}

interface Read {
  readonly name: string | undefined
  readonly serial: number
  readonly files: readonly IndexFile[]
}

function readLegacy(text: string): Read {
  const document = JSON.parse(text) as {
    last_serial?: number | null
    info?: { name?: string; version?: string }
    releases?: Record<string, readonly LegacyFile[]>
    urls?: readonly LegacyFile[]
  }
  const releases = document.releases ?? { [document.info?.version ?? '0']: document.urls ?? [] }
  // Some were trimmed by hand: a release that is no list, a file of which little more than the digests is left.
  const files = Object.entries(releases).flatMap(([version, entries]) =>
    (Array.isArray(entries) ? entries : [])
      .filter((entry: Partial<LegacyFile>) => entry.filename !== undefined && entry.url !== undefined)
      .map((entry: LegacyFile) => fromLegacy(entry, version))
  )
  return { name: document.info?.name, serial: document.last_serial || wheelSerial, files }
}

function fromLegacy(file: LegacyFile, version: string): IndexFile {
  return {
    filename: file.filename,
    version,
    path: pathOf(file.url),
    hashes: file.digests ?? {},
    size: file.size,
    uploadTime: file.upload_time_iso_8601,
    requiresPython: file.requires_python ?? undefined,
    yanked: file.yanked === true && (file.yanked_reason ?? ''),
    packageType: file.packagetype ?? 'sdist',
    coreMetadata: false,
    provenance: undefined
  }
}

/** Where PyPI's file lies on this server. */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/]+\/packages\//, '/files/packages/')
}

function versionOf(filename: string): string {
  return /^.+?-(\d[^-]*?)(?:-|\.tar|\.zip|\.egg|\.exe|\.whl|$)/.exec(filename)?.[1] ?? '0'
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

function sha256Of(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
