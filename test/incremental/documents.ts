/** Real documents of a project at several dates: a sync from one to the next says what differs between them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Change } from '../../lib/catalog/changes.js'
import { normalizeName } from '../../lib/pypi/name.js'
import { sharedData } from '../helpers/shared-data.js'
import { syncSetup } from '../helpers/sync.js'

type Files = ReadonlyMap<string, string>

/** What a reader of a document sees of each file, apart from where it lies. Read here anew, so as not to trust our parser. */
function pageFiles(text: string): Files {
  const { files } = JSON.parse(text) as { files: Record<string, unknown>[] }
  return new Map(
    files.map(file => {
      const { filename, hashes, size, yanked, provenance } = file
      const metadata =
        file['core-metadata'] ?? file['data-dist-info-metadata'] ?? file['dist-info-metadata'] ?? false
      const [python, uploaded] = [file['requires-python'] ?? null, file['upload-time'] ?? null]
      const all = [
        sorted(hashes),
        size ?? null,
        yanked ?? false,
        python,
        uploaded,
        sorted(metadata),
        provenance ?? null
      ]
      return [String(filename), JSON.stringify(all)]
    })
  )
}

function legacyFiles(text: string): Files {
  const { releases } = JSON.parse(text) as { releases: Record<string, Record<string, unknown>[]> }
  return new Map(
    Object.values(releases)
      .flat()
      .map(file => {
        const { filename, digests, size, yanked, yanked_reason: reason, requires_python: python } = file
        const all = [
          sorted(digests),
          size,
          yanked ? (reason ?? '') : false,
          python || null,
          file.upload_time_iso_8601
        ]
        return [String(filename), JSON.stringify([...all, file.packagetype])]
      })
  )
}

function sorted(value: unknown): unknown {
  return value !== null && typeof value === 'object' ? Object.entries(value).sort() : value
}

function difference(before: Files, after: Files): Record<string, Change['change']> {
  const found: Record<string, Change['change']> = {}
  for (const name of before.keys()) if (!after.has(name)) found[name] = 'removed'
  for (const [name, file] of after) {
    const old = before.get(name)
    if (old !== file) found[name] = old === undefined ? 'added' : 'changed'
  }
  return found
}

/** Serves the documents one after the other, syncs each, and compares what the catalog says with what they say. */
async function follow(
  t: Test,
  name: string,
  documents: readonly string[],
  source: 'simple' | 'json',
  filesOf: (text: string) => Files
): Promise<void> {
  const { run, index, open, names } = await syncSetup(t)
  const project = normalizeName(name)
  const path = source === 'json' ? `/pypi/${project}/json` : `/simple/${project}/`
  let before: Files = new Map()
  let version = 0
  const counts: string[] = []
  for (const body of documents) {
    index.route(path, {
      body,
      headers: {
        'content-type': source === 'json' ? 'application/json' : 'application/vnd.pypi.simple.v1+json'
      }
    })
    const after = filesOf(body)
    const expected = difference(before, after)
    const report = await run({ source, includes: [name], mirror: true, prereleases: true })
    const count = (...kinds: string[]) => Object.values(expected).filter(kind => kinds.includes(kind)).length
    t.match(report, {
      failures: { length: 0 },
      changed: count('added', 'changed', 'removed') > 0,
      packages: {
        added: count('added', 'changed'),
        removed: count('removed', 'changed'),
        present: after.size
      }
    })
    if (report.changed) version++
    t.equal(report.version, version)
    if (report.changed) {
      const found = await open(async catalog => {
        const changes: Record<string, string> = {}
        for await (const one of catalog.changes('pypi', version - 1, version))
          changes[one.filename] = one.change
        return changes
      })
      t.strictSame(found, Object.fromEntries(Object.entries(expected).sort(([a], [b]) => (a < b ? -1 : 1))))
    }
    t.strictSame(new Set(await names()), new Set(after.keys()))
    counts.push(`${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`)
    before = after
  }
  t.comment(`${name}: ${counts.join('; ')}`)
}

const micropip = sharedData('triples', 'micropip')
const legacy = sharedData('pypi-json')

t.test(
  'PEP 691 pages of pypi.org',
  { skip: micropip === undefined && 'there are no real documents here' },
  async t => {
    const byName = new Map<string, string[]>()
    for (const file of readdirSync(String(micropip)).sort()) {
      const text = readFileSync(join(String(micropip), file), 'utf8')
      if (!/json/.test(file)) continue
      let name: string | undefined
      try {
        const page = JSON.parse(text) as { name?: string; files?: unknown[] }
        name = page.files === undefined ? undefined : page.name
      } catch {}
      if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), text])
    }
    const followed = [...byName].filter(([, pages]) => pages.length > 1)
    for (const [name, pages] of followed)
      await t.test(name, t => follow(t, name, pages.sort(bySerial), 'simple', pageFiles))
  }
)

t.test('legacy documents', { skip: legacy === undefined && 'there are no real documents here' }, async t => {
  const byName = new Map<string, string[]>()
  for (const folder of [String(legacy), String(micropip)]) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!file.endsWith('.json')) continue
      let document: { info?: { name?: string }; releases?: Record<string, unknown[]> }
      try {
        document = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      } catch {
        continue
      }
      const name = document.info?.name
      if (name === undefined || !isWhole(document.releases)) continue
      byName.set(name, [...(byName.get(name) ?? []), JSON.stringify(document)])
    }
  }
  for (const [name, documents] of byName) {
    const different = [...new Set(documents)].sort(bySerial)
    if (different.length > 1) await t.test(name, t => follow(t, name, different, 'json', legacyFiles))
  }
})

/** Whether the document has files, and tells of each what is compared here: some were trimmed by hand. */
function isWhole(releases: Record<string, unknown[]> | undefined): boolean {
  const files = Object.values(releases ?? {}).flat() as Record<string, unknown>[]
  const fields = ['filename', 'url', 'digests', 'size', 'packagetype', 'upload_time_iso_8601']
  const names = new Set(files.map(({ filename }) => filename))
  return (
    files.length > 0 && names.size === files.length && files.every(file => fields.every(field => file[field]))
  )
}

function bySerial(one: string, other: string): number {
  const serial = (text: string) => {
    const { last_serial: last, meta } = JSON.parse(text) as {
      last_serial?: number
      meta?: { '_last-serial'?: number }
    }
    return last ?? meta?.['_last-serial'] ?? 0
  }
  return serial(one) - serial(other)
}
