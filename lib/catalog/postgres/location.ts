/** Where a PostgreSQL database is. */
import { OptionError } from '../../errors.js'
import { redactUrl } from '../../http/redact.js'

/** Whether a catalog's location is that of a PostgreSQL database. */
export function isPostgresUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location)
}

/** The location as it may be shown: without user, password and parameters. @throws {@link OptionError} */
export function shownLocation(location: string): string {
  // The parser's own error would show the whole of it.
  if (!URL.canParse(location)) throw new OptionError('catalog', 'a postgres:// URL', 'none that can be read')
  return redactUrl(location)
}
