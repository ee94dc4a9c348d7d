/**
 * Whether the date of a document can stand for it.
 */

/** A document may change again within the second that its date names, and a clock may run ahead. */
const SETTLED_MS = 60_000

/**
 * The header `Last-Modified` of an answer, if a document changed since could not have the same: not if it had been
 * changed just before the answer was made.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2
 */
export function settledLastModified(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
): string | undefined {
  const { 'last-modified': modified, date } = headers
  if (typeof modified !== 'string') return undefined
  const answeredAt = typeof date === 'string' ? Date.parse(date) : Date.now()
  return answeredAt - Date.parse(modified) >= SETTLED_MS ? modified : undefined
}
