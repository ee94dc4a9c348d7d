/** The tests of the catalog, and of the stages that use it alone, on PostgreSQL. */
import { runOnPostgres } from '../helpers/postgres-suite.js'

const CATALOG = [
  ...[
    'browse-reader',
    'catalog',
    'changes',
    'due',
    'history',
    'index-reader',
    'kill',
    'known',
    'packages',
    'progress',
    'project-ids'
  ],
  ...[
    'projects',
    'retention',
    'rollback',
    'run',
    'runs',
    'shards',
    'shared-origins',
    'verification',
    'versions'
  ]
]
const STAGES = [
  'catalog-lookup',
  'file-judge',
  'package-saver',
  'plan-writer',
  'project-lookup',
  'version-writer'
]

await runOnPostgres([...CATALOG.map(name => `lib/catalog/${name}`), ...STAGES.map(name => `streams/${name}`)])
