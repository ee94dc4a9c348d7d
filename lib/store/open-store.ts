/**
 * The store for a location: the one place that knows which kinds there are.
 */
import { OptionError } from '../errors.js'
import { text } from '../options.js'
import { DirectoryStore } from './directory-store.js'
import type { Store } from './store.js'

/**
 * Opens the folder or bucket that `location` names, and gives back a store that the caller has opened already.
 * @throws {@link OptionError}
 */
export async function openStore(location: Store | string): Promise<Store> {
  if (typeof location !== 'string') return location
  text('store', location)
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location) ?? []
  if (scheme === undefined) return new DirectoryStore(location)
  if (scheme.toLowerCase() !== 's3')
    throw new OptionError('store', 'a folder or s3://BUCKET/PREFIX', location)
  // Loaded here, since the SDK takes longer than all the rest, and most who have a store have a folder.
  const { S3Store } = await import('./s3-store.js')
  return new S3Store(location)
}
