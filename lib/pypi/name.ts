/**
 * Project names as Python packaging compares and restricts them.
 */

const VALID = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i
const NORMAL = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/**
 * Turns a project's name into the one form under which indexes list it: lower case, with each run of `-`, `_` and
 * `.` as one `-`. A name that is not valid is treated the same way; ask {@link isValidName} first where it matters.
 * @see https://peps.python.org/pep-0503/#normalized-names
 */
export function normalizeName(name: string): string {
  // Most names of an index are in this form already, and the test costs less than the replacement.
  return NORMAL.test(name) ? name : name.replace(/[-_.]+/g, '-').toLowerCase()
}

/**
 * Tells whether a project may have this name: ASCII letters, digits, `.`, `-` and `_`, a letter or digit at both ends.
 * @see https://packaging.python.org/en/latest/specifications/name-normalization/#name-format
 */
export function isValidName(name: string): boolean {
  return VALID.test(name)
}

/** Tells whether a name is valid and what {@link normalizeName} would make of it. */
export function isNormalizedName(name: string): boolean {
  return NORMAL.test(name)
}
