/**
 * Which file names may be stored, served and written into a folder, on every system.
 */

/** Longest name that the usual file systems take, in bytes. */
const MAX_BYTES = 255
/** What every name of a wheel or sdist is made of; such names need none of the checks below. */
const PLAIN = /^[A-Za-z0-9_](?:[A-Za-z0-9_.+!-]{0,248}[A-Za-z0-9_+!-])?$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\:*?"<>|]/
/** Devices of Windows, whatever follows the first dot. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/**
 * Says why a file name cannot be used; `undefined` where it can.
 *
 * Refused are: path separators, `.` and `..`, control characters and those that turn the direction of writing, what
 * Windows refuses (`:*?"<>|`, device names, a dot or blank at the end), hidden files (a web server may read `.htaccess`), half
 * surrogates, and more than 255 bytes. No wheel or sdist by the specifications has such a name.
 */
export function unsafeFilename(name: string): string | undefined {
  if (PLAIN.test(name) && !RESERVED.test(name)) return undefined
  if (name === '') return 'its name is empty'
  if (Buffer.byteLength(name) > MAX_BYTES) return `its name is longer than ${MAX_BYTES} bytes`
  if (/[/\\]/.test(name)) return 'its name has a path separator'
  if (FORBIDDEN.test(name)) return 'its name has a character that file names must not have'
  if (/[^\S ]|^ | $|\.$/.test(name)) return 'its name has a blank or a dot where file names must not have one'
  if (name.startsWith('.')) return 'its name begins with a dot'
  if (/\p{Cs}/u.test(name)) return 'its name is no valid Unicode'
  if (RESERVED.test(name)) return 'its name is reserved on Windows'
  return undefined
}

/**
 * The file name at the end of a URL's path, as pip takes it: slashes at the end do not count, percent-encoding is undone
 * once, and of that it is the last component. `undefined` where the path has none.
 */
export function filenameOfUrl(url: URL): string | undefined {
  const path = withoutSlashes(url.pathname)
  const segment = path.slice(path.lastIndexOf('/') + 1)
  const decoded = withoutSlashes(decode(segment))
  const name = decoded.slice(decoded.lastIndexOf('/') + 1)
  return name === '' || name === '.' || name === '..' ? undefined : name
}

/** `/\/+$/` would take quadratic time on a path of slashes. */
function withoutSlashes(path: string): string {
  let end = path.length
  while (path.charCodeAt(end - 1) === 0x2f) end--
  return path.slice(0, end)
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    // Not UTF-8: left as it is, which is still a name that can be asked for.
    return segment
  }
}
