/**
 * Runs the cases of pypa/packaging's own tests, where their converted tables lie beside the checkout, and prints how
 * many pass of each table. What we answer otherwise is listed in docs/conformance.md, with the reason.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parseSdistName, parseWheelName } from '../../lib/pypi/filename.js'
import { formatMarker } from '../../lib/pypi/marker.js'
import { isNormalizedName, isValidName, normalizeName } from '../../lib/pypi/name.js'
import { formatRequirement, parseRequirement } from '../../lib/pypi/requirement.js'
import { formatSpecifier, meets, parseSpecifier, parseSpecifiers } from '../../lib/pypi/specifier.js'
import { contradict } from '../../lib/pypi/specifier-conflict.js'
import { chooseVersions } from '../../lib/pypi/specifier-policy.js'
import { expandTags } from '../../lib/pypi/tags.js'
import {
  canonicalizeVersion,
  compareVersions,
  formatVersion,
  isPrerelease,
  parseVersion,
  type Version
} from '../../lib/pypi/version.js'
import { sharedData } from '../helpers/shared-data.js'

/** Rows as the tables hold them; each table has its own shape, which the code that reads it states. */
type Tables = Readonly<Record<string, readonly unknown[]>>

function suite(file: string, run: (t: Test, tables: Tables) => void): void {
  const path = sharedData('conformance', file)
  t.test(file, { skip: path === undefined && 'the tables are not there' }, async t => {
    run(t, JSON.parse(readFileSync(path as string, 'utf8')) as Tables)
  })
}

/** Asks one question of each row and says how many answers are right. */
function every<Row>(t: Test, tables: Tables, table: string, passes: (row: Row) => boolean): void {
  const rows = tables[table] as readonly Row[]
  const failed = rows.filter(row => {
    try {
      return !passes(row)
    } catch {
      return true
    }
  })
  t.comment(`${table}: ${rows.length - failed.length} of ${rows.length}`)
  t.strictSame(failed.slice(0, 5), [], table)
  t.ok(rows.length > 0, `${table} has cases`)
}

function refuses(read: (text: string) => unknown, text: string): boolean {
  try {
    return read(text) === undefined
  } catch (error) {
    return (error as { code?: unknown }).code === 'ERR_MILLRACE_REQUIREMENT'
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const sorted = (list: string): string => list.split(',').sort().join(',')
const version = (text: string): Version => {
  const found = parseVersion(text)
  if (found === undefined) throw new Error(`${text} is no version`)
  return found
}

suite('names.json', (t, tables) => {
  for (const table of ['canonicalize', 'invalid_but_canonicalized'])
    every<[string, string]>(t, tables, table, ([name, expected]) => normalizeName(name) === expected)
  every<[string, string]>(t, tables, 'invalid_but_canonicalized', ([name]) => !isValidName(name))
  every<[string, boolean]>(
    t,
    tables,
    'is_normalized',
    ([name, expected]) => isNormalizedName(name) === expected
  )
  every<{ name: string; expected: string }>(
    t,
    tables,
    'raw_is_normalized',
    ({ name, expected }) => isNormalizedName(name) === (name === expected) && normalizeName(name) === expected
  )
  every<[string, string]>(
    t,
    tables,
    'canonicalize_version',
    ([text, expected]) => canonicalizeVersion(text) === expected
  )
})

suite('pep440-order.json', (t, tables) => {
  const ladder = (tables.versions as readonly string[]).map((text, rank) => ({
    rank,
    parsed: version(text)
  }))
  const pairs = ladder.flatMap(a => ladder.map(b => [a, b] as const))
  every<(typeof pairs)[number]>(
    t,
    { pairs },
    'pairs',
    ([a, b]) => Math.sign(compareVersions(a.parsed, b.parsed)) === Math.sign(a.rank - b.rank)
  )
})

suite('pep440-parse.json', (t, tables) => {
  every<[string, string]>(
    t,
    tables,
    'normalize',
    ([text, expected]) => formatVersion(version(text)) === expected
  )
  every<string>(t, tables, 'invalid', text => parseVersion(text) === undefined)
  every<Record<string, unknown>>(t, tables, 'properties', row => {
    const parsed = version(row.version as string)
    const found: Record<string, unknown> = {
      version: row.version,
      public: formatVersion({ ...parsed, local: undefined }),
      base_version: formatVersion({
        ...parsed,
        pre: undefined,
        post: undefined,
        dev: undefined,
        local: undefined
      }),
      epoch: parsed.epoch,
      release: parsed.release,
      pre: parsed.pre ?? null,
      post: parsed.post ?? null,
      dev: parsed.dev ?? null,
      local: parsed.local?.join('.') ?? null,
      is_prerelease: isPrerelease(parsed),
      is_postrelease: parsed.post !== undefined,
      is_devrelease: parsed.dev !== undefined
    }
    return Object.entries(row).every(([key, value]) => same(found[key], value))
  })
})

interface SpecifierRow {
  readonly spec?: string
  readonly spec_str?: string
  readonly specifier?: string
  readonly version: string
  readonly expected: boolean
}

suite('pep440-specifiers.json', (t, tables) => {
  const meetsRow = ({ spec, spec_str, specifier, version: text, expected }: SpecifierRow): boolean =>
    meets(parseSpecifiers(spec ?? spec_str ?? (specifier as string)), parseVersion(text), text) === expected
  for (const table of [
    'match',
    'arbitrary_equality',
    'arbitrary_equality_normalization',
    'post_release_boundary',
    'invalid_version_contains',
    'ignores_local'
  ])
    every<SpecifierRow>(t, tables, table, meetsRow)

  type Asked = boolean | null
  const contains = (specifiers: string, text: string, asked: Asked): boolean =>
    chooseVersions(parseSpecifiers(specifiers), [text], asked ?? undefined).length === 1
  every<{ specifier: string; version: string; spec_pre: Asked; contains_pre: Asked; expected: boolean }>(
    t,
    tables,
    'match_prereleases',
    row => contains(row.specifier, row.version, row.contains_pre ?? row.spec_pre) === row.expected
  )
  every<{
    specifier: string
    version: string
    spec_prereleases: Asked
    contains_prereleases: Asked
    installed: boolean
    expected: boolean
  }>(
    t,
    tables,
    'contains_installed',
    row =>
      contains(
        row.specifier,
        row.version,
        row.installed || (row.contains_prereleases ?? row.spec_prereleases)
      ) === row.expected
  )
  every<{ specifier: string; version: string; prereleases: Asked; expected: boolean }>(
    t,
    tables,
    'contains_exclusionary',
    row => contains(row.specifier, row.version, row.prereleases) === row.expected
  )
  for (const table of ['filter_single', 'filter_set', 'filter_exclusionary'])
    every<{
      specifier: string
      specifier_prereleases?: Asked
      prereleases: Asked
      input: string[]
      expected: string[]
    }>(t, tables, table, ({ specifier, specifier_prereleases, prereleases, input, expected }) =>
      same(
        chooseVersions(parseSpecifiers(specifier), input, prereleases ?? specifier_prereleases ?? undefined),
        expected
      )
    )
  every<string>(t, tables, 'valid_specifiers', text => parseSpecifier(text) !== undefined)
  every<string>(t, tables, 'invalid_specifiers', text => refuses(parseSpecifier, text))
  every<[string, string]>(
    t,
    tables,
    'str',
    ([text, expected]) => sorted(parseSpecifiers(text).map(formatSpecifier).join(',')) === sorted(expected)
  )
  every<string>(t, tables, 'unsatisfiable', text => contradict(parseSpecifiers(text)))
  every<string>(t, tables, 'satisfiable', text => !contradict(parseSpecifiers(text)))
})

suite('requirements.json', (t, tables) => {
  every<[string, string, string[], string | null, string, string | null]>(
    t,
    tables,
    'valid',
    ([input, name, extras, url, specifier, marker]) => {
      const found = parseRequirement(input)
      return same(
        [
          found.name,
          found.extras.toSorted(),
          found.url ?? null,
          sorted(found.specifiers.map(formatSpecifier).join(',')),
          found.marker === undefined ? null : formatMarker(found.marker)
        ],
        [name, extras.toSorted(), url, sorted(specifier), marker]
      )
    }
  )
  every<string>(t, tables, 'invalid', text => refuses(parseRequirement, text))
  const normal = (text: string): string => {
    const { specifiers, ...rest } = parseRequirement(text)
    const canonical = specifiers.map(each => ({ ...each, text: canonicalizeVersion(each.text) }))
    return formatRequirement({ ...rest, specifiers: canonical })
  }
  every<{ input_req: string; norm_req: string }>(
    t,
    tables,
    'normalized',
    ({ input_req, norm_req }) => normal(input_req) === normal(norm_req)
  )
  for (const table of ['equal', 'equivalent'])
    every<{ dep1: string; dep2: string }>(t, tables, table, ({ dep1, dep2 }) => normal(dep1) === normal(dep2))
  every<{ dep1: string; dep2: string }>(
    t,
    tables,
    'different',
    ({ dep1, dep2 }) => normal(dep1) !== normal(dep2)
  )
})

suite('markers.json', (t, tables) => {
  const marker = (text: string) => parseRequirement(`name; ${text}`).marker
  every<string>(t, tables, 'valid', text => marker(text) !== undefined)
  every<string>(t, tables, 'invalid', text => refuses(marker, text))
  every<{ marker_string: string; expected: string }>(t, tables, 'str', ({ marker_string, expected }) => {
    const found = marker(marker_string)
    return found !== undefined && formatMarker(found) === expected
  })
})

suite('filenames-packaging.json', (t, tables) => {
  every<{ filename: string; name: string; version: string; build: unknown[]; tags: string[] }>(
    t,
    tables,
    'wheel_valid',
    row => {
      const found = parseWheelName(row.filename)
      return (
        found !== undefined &&
        same(
          [found.project, found.version, found.build ?? [], expandTags(found).toSorted()],
          [row.name, row.version, row.build, row.tags.toSorted()]
        )
      )
    }
  )
  every<string>(t, tables, 'wheel_unsorted_tags', text => parseWheelName(text) !== undefined)
  every<string>(t, tables, 'wheel_invalid', text => refuses(parseWheelName, text))
  every<{ filename: string; name: string; version: string }>(
    t,
    tables,
    'sdist_valid',
    ({ filename, name, version }) => same(parseSdistName(filename), { project: name, version })
  )
  every<string>(t, tables, 'sdist_invalid', text => refuses(parseSdistName, text))
})
