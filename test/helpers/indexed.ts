/** A file as a version of a repository has it. */
import type { IndexedPackage } from '../../lib/catalog/index-reader.js'
import { makePackage } from './package.js'

export function indexed(filename: string, more: Partial<IndexedPackage> = {}): IndexedPackage {
  return { ...makePackage('demo', filename), id: 7, file: undefined, added: 1, ...more }
}

/** The page of a project with these files. */
export function pageOf(...files: IndexedPackage[]) {
  return {
    project: 'demo',
    name: 'Demo',
    status: 'active',
    statusReason: undefined,
    serial: 42,
    files
  } as const
}
