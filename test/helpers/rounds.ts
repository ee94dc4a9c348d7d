/** States of an index that differ in every package, so that a mixture of two is seen. */
import type { Package } from '../../lib/pypi/package.js'
import { sdist } from './catalog.js'

export function roundOf(round: number): { readonly projects: string[]; readonly packages: Package[] } {
  const projects = Array.from({ length: 100 }, (_, n) => `p${n}`)
  const packages = projects.flatMap(project =>
    Array.from({ length: 10 }, (_, n) => sdist(project, `${n + round}`, { requiresPython: `>=${round}` }))
  )
  return { projects, packages }
}
