/**
 * What pages are made of, for tests of a page alone.
 */
import type { VersionInfo } from '../../lib/catalog/browse-reader.js'
import type { IndexedRepository } from '../../lib/catalog/index-reader.js'

export const createdAt = '2024-03-05T10:11:12Z'
export const repository: IndexedRepository = {
  id: 1,
  name: 'x',
  createdAt,
  version: 2,
  modifiedAt: createdAt,
  fetchedRun: 1
}
export const version: VersionInfo = {
  number: 2,
  createdAt,
  added: 3,
  removed: 1,
  present: 5,
  runId: 9,
  lastPackage: 4
}
