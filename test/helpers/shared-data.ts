/** Finds real documents that may lie beside the checkout. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** The path of a file or folder of real data, or `undefined` where that folder is not there. Run from the project's root. */
export function sharedData(...path: string[]): string | undefined {
  const found = resolve('../shared/data', ...path)
  return existsSync(found) ? found : undefined
}
