/** Opens a catalog in a test's folder, and reads back what is in it. */
import type { Test } from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import type { StoredPackage } from '../../lib/catalog/rows.js'
import type { Run } from '../../lib/catalog/run.js'
import type { Package, Project } from '../../lib/pypi/package.js'
import { newLocation } from './database.js'
import { makePackage } from './package.js'

const locations = new WeakMap<Catalog, string>()

/** A catalog in a database of its own, closed when the test ends. To be called once a test. */
export async function openCatalog(t: Test): Promise<Catalog> {
  const location = await newLocation(t, t.testdir())
  const catalog = await Catalog.open(location)
  locations.set(catalog, location)
  t.teardown(() => catalog.close())
  return catalog
}

/** Where a catalog is that {@link openCatalog} opened, with what is not shown of it. */
export function locationOf(catalog: Catalog): string {
  return locations.get(catalog) as string
}

/** All packages of a version. */
export async function readAll(
  catalog: Catalog,
  repository: string,
  options: { version?: number; project?: string } = {}
): Promise<StoredPackage[]> {
  const packages: StoredPackage[] = []
  for await (const pkg of catalog.packages(repository, options)) packages.push(pkg)
  return packages
}

/** `PROJECT FILENAME` of all packages of a version. */
export async function readNames(catalog: Catalog, repository: string, version?: number): Promise<string[]> {
  const packages = await readAll(catalog, repository, version === undefined ? {} : { version })
  return packages.map(({ filename }) => filename)
}

/** An sdist with a digest that follows from its name. */
export function sdist(project: string, version: string, more: Partial<Package> = {}): Package {
  const sha256 = Buffer.from(`${project}-${version}`).toString('hex').padEnd(64, '0').slice(0, 64)
  return makePackage(project, `${project}-${version}.tar.gz`, { digests: { sha256 }, size: 1000, ...more })
}

export function project(name: string, more: Partial<Project> = {}): Project {
  return { project: name, name, url: `https://index.example/simple/${name}/`, ...more }
}

/** Saves packages as the whole of their projects' documents. */
export async function saveProjects(
  run: Run,
  packages: readonly Package[],
  more: readonly string[] = []
): Promise<void> {
  if (packages.length > 0) await run.savePackages(packages)
  const names = new Set([...packages.map(pkg => pkg.project), ...more])
  await run.writeStates(Array.from(names, name => ({ project: name, outcome: 'fetched' as const })))
}
