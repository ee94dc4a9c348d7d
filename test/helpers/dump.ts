/** What a catalog says, as text that can be compared. */
import type { Catalog } from '../../lib/catalog/catalog.js'

/** Everything that versions say, a line for each package of each. */
export async function dump(catalog: Catalog): Promise<string> {
  const lines: string[] = []
  for (const { createdAt: _, ...version } of await catalog.versions('pypi')) {
    lines.push(JSON.stringify(version))
    for await (const pkg of catalog.packages('pypi', { version: version.number }))
      lines.push(JSON.stringify(pkg))
  }
  for (const { number } of (await catalog.versions('pypi')).slice(1))
    for await (const change of catalog.changes('pypi', number - 1, number)) lines.push(JSON.stringify(change))
  for (const { id, state, version, report } of await catalog.runs('pypi'))
    lines.push(JSON.stringify([id, state, version, { ...report, durationMs: 0 }]))
  return lines.join('\n')
}
