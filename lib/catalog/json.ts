/**
 * Text and JSON as both databases take them: PostgreSQL has neither NUL characters nor halves of surrogate pairs.
 */

/** JSON of a value, to be bound to a statement. */
export function encodeJson(value: unknown): string {
  const json = JSON.stringify(value)
  if (!json.includes('\\u')) return json
  // An escape at a time, so that a backslash that was escaped itself begins none. Of surrogates only halves are escaped.
  return json.replace(/\\(u0000|ud[89a-f][\da-f]{2}|.)/g, (sequence, what: string) =>
    what.length > 1 ? '\ufffd' : sequence
  )
}

/** Text as {@link encodeJson} would have it. */
export function encodeText(text: string): string {
  return text.isWellFormed() && !text.includes('\0') ? text : text.replaceAll('\0', '\ufffd').toWellFormed()
}
