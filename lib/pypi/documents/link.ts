/**
 * Digests as links of PEP 503 pages carry them.
 */

const ALGORITHMS = 'sha(?:1|224|256|384|512)|md5'
const IN_FRAGMENT = new RegExp(`(?:^|&)(${ALGORITHMS})=([^&]*)`)
const IN_ATTRIBUTE = new RegExp(`^(${ALGORITHMS})=(.*)$`)

/** Finds the digest in a URL's fragment, such as `sha256=…` or `egg=NAME&md5=…`; not checked. */
export function hashOfFragment(fragment: string): Readonly<Record<string, string>> | undefined {
  const [, algorithm, value] = IN_FRAGMENT.exec(fragment) ?? []
  return algorithm === undefined || value === undefined ? undefined : { [algorithm]: value }
}

/**
 * Reads `data-core-metadata`: `undefined` without the attribute, `false` where it says so, the digest where it has
 * one (not checked), `true` with anything else.
 * @see https://peps.python.org/pep-0714/
 */
export function hashOfMetadataAttribute(
  value: unknown
): boolean | Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'string') return undefined
  if (value === 'false') return false
  const [, algorithm, hash] = IN_ATTRIBUTE.exec(value) ?? []
  return algorithm === undefined || hash === undefined ? true : { [algorithm]: hash }
}
