/** Whole syncs, and what follows upon them, on PostgreSQL. */
import { runOnPostgres } from '../helpers/postgres-suite.js'

await runOnPostgres([
  ...['documents', 'history', 'mirror', 'requests'].map(name => `incremental/${name}`),
  ...['file-repairer', 'sync', 'verify'].map(name => `streams/${name}`),
  ...['package-index', 'routes/simple', 'routes/files'].map(name => `lib/serve/${name}`),
  'lib/publish/publish'
])
