/** The tables of pip's link suite that no test of a single file runs. See docs/conformance.md. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { versionAfterName } from '../../lib/pypi/filename.js'
import { sharedData } from '../helpers/shared-data.js'

const cases = sharedData('conformance', 'links-pip.json')
t.test("pip's link suite", { skip: cases === undefined && 'no shared data' }, async t => {
  const suite = JSON.parse(readFileSync(cases as string, 'utf8'))

  t.test('where the version begins', async t => {
    for (const { fragment, canonical_name: name, expected } of suite.find_name_version_sep)
      t.equal(versionAfterName(fragment, name) ?? '', fragment.slice(expected + 1), `${fragment} of ${name}`)
    for (const { fragment, canonical_name: name } of suite.find_name_version_sep_failure)
      t.equal(versionAfterName(fragment, name), undefined, `${fragment} of ${name}`)
    for (const { fragment, canonical_name: name, expected } of suite.extract_version)
      t.equal(versionAfterName(fragment, name), expected ?? undefined, `${fragment} of ${name}`)
    t.comment(
      `${suite.find_name_version_sep.length + suite.find_name_version_sep_failure.length + suite.extract_version.length} cases`
    )
  })

  /** `%5b` and `%5B` are the same octet. */
  const quoted = (text: string) => text.replace(/%[0-9a-f]{2}/gi, octet => octet.toUpperCase())

  t.test('quoting', async t => {
    for (const { path, expected } of suite.clean_url_path)
      t.equal(quoted(new URL(`https://h.example/${path}`).pathname), `/${expected}`, path)
    let passed = 0
    let asked = 0
    for (const { url, clean_url: expected } of suite.ensure_quoted_url) {
      if (!/^https?:/.test(url)) continue
      asked++
      const found = quoted(new URL(url).href)
      passed += found === expected ? 1 : 0
      t.equal(found, expected.replaceAll('%3A', ':'), url)
    }
    t.comment(`${suite.clean_url_path.length + passed} of ${suite.clean_url_path.length + asked} cases`)
  })
})
