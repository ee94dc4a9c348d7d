/**
 * Puts the files of a project where its pages say that they are, and removes what they no longer speak of.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { IndexedPackage } from '../catalog/index-reader.js'
import { fileKey } from '../serve/documents/page.js'
import { readWheelMetadata } from '../serve/wheel-metadata.js'
import type { Store, StoredFile } from '../store/store.js'
import type { PublishFolder } from './folder.js'

/** How a file comes from the store into the folder. */
export type LinkKind = 'hard' | 'symbolic' | 'copy'

/** What became of the files of a project. */
export interface PlacedFiles {
  /** As the pages are to show them: without `core-metadata` where it could not be had. */
  readonly files: readonly IndexedPackage[]
  /** Those whose bytes are here; the others are upstream. */
  readonly local: ReadonlySet<IndexedPackage>
  /** Files that were not here before. */
  readonly placed: number
}

/** Places the files that the store has. */
export async function placeFiles(
  folder: PublishFolder,
  store: Store,
  packages: readonly IndexedPackage[],
  kind: LinkKind
): Promise<PlacedFiles> {
  const files: IndexedPackage[] = []
  const local = new Set<IndexedPackage>()
  let placed = 0
  for (const pkg of packages) {
    const sha256 = pkg.file ?? pkg.digests.sha256
    const size = sha256 === undefined ? undefined : await store.size(sha256)
    if (sha256 === undefined || size === undefined || (pkg.size !== undefined && pkg.size !== size)) {
      files.push(pkg)
      continue
    }
    const target = folder.file(pkg.project, fileKey(pkg), pkg.filename)
    if (await place(store, { sha256, size }, target, kind)) placed++
    const found = await placeMetadata(store, { sha256, size }, pkg, `${target}.metadata`)
    const shown = found ? pkg : { ...pkg, coreMetadata: false }
    files.push(shown)
    local.add(shown)
  }
  return { files, local, placed }
}

/** Removes what lies there of a project and is none of `files`. Returns how many were removed. */
export async function pruneFiles(
  folder: PublishFolder,
  project: string,
  files: Iterable<IndexedPackage>
): Promise<number> {
  const keys = new Set(Array.from(files, fileKey))
  let removed = 0
  for (const key of await entries(folder.file(project))) {
    if (keys.has(key)) continue
    await rm(folder.file(project, key), { recursive: true })
    removed++
  }
  if (keys.size === 0) await rm(folder.file(project), { recursive: true, force: true })
  return removed
}

/** Names in a folder; none where it is not there. */
export async function entries(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** @returns whether it was not there yet */
async function place(
  store: Store,
  { sha256, size }: StoredFile,
  target: string,
  kind: LinkKind
): Promise<boolean> {
  if ((await stat(target).catch(() => undefined))?.size === size) return false
  await mkdir(dirname(target), { recursive: true })
  // Under another name first: a client must not read half of it, nor a publication that died leave half of it.
  const made = `${target}.tmp`
  await rm(made, { force: true })
  const path = store.pathOf?.(sha256)
  if (path !== undefined) await linkOrCopy(path, made, kind)
  else await pipeline(store.createReadStream(sha256), createWriteStream(made))
  await rename(made, target)
  return true
}

async function linkOrCopy(source: string, made: string, kind: LinkKind): Promise<void> {
  if (kind === 'symbolic') await symlink(resolve(source), made)
  else if (kind === 'copy' || !(await linked(source, made))) await copyFile(source, made)
}

/** @returns whether the file system can do that between the two places */
async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
    return true
  } catch (error) {
    if (['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes(String((error as NodeJS.ErrnoException).code)))
      return false
    throw error
  }
}

/** Writes the METADATA of a package that is said to have one. @returns whether the page may say so */
async function placeMetadata(
  store: Store,
  file: { readonly sha256: string; readonly size: number },
  { coreMetadata, project }: IndexedPackage,
  target: string
): Promise<boolean> {
  if (coreMetadata === false) return true
  const metadata = await readWheelMetadata(store, file, project)
  if (metadata === undefined) return false
  const { sha256 } = coreMetadata === true ? {} : coreMetadata
  if (sha256 !== undefined && createHash('sha256').update(metadata).digest('hex') !== sha256) return false
  const made = `${target}.tmp`
  await writeFile(made, metadata)
  await rename(made, target)
  return true
}
