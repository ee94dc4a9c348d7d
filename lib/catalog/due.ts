/**
 * The statements that say which projects are due whatever the index lists, and keep what is known of its listing.
 *
 * A listing is asked for on condition only where it would tell of every change: each project that it names came with
 * a serial, all that it names were settled, and the run that read it was the last one. Then a listing that did not
 * change means that nothing did upstream, and what is due all the same is known here: projects that failed, whose
 * full check is due, of which a filter held something back, or whose state was taken back.
 */
import type { Connection } from './database.js'
import { encodeJson } from './json.js'
import type { KnownListing } from './known.js'
import { type ProjectName, READ_LATELY } from './projects.js'

/** What a run begins with. */
export interface Due {
  /** Projects to ask for first: those that failed, and with `listing` all that are due. */
  readonly first: readonly Pick<ProjectName, 'project' | 'name'>[]
  /** What is known of the listing, where it may be asked for on condition. */
  readonly listing: KnownListing | undefined
}

/** Names held at most. If more are due, the whole listing costs little beside them. */
const MAX_FIRST = 10_000

interface DueContext {
  readonly repositoryId: number
  readonly optionsKey: string
  readonly committedRun: number
  readonly drafts: boolean
  readonly fullCheckMs: number | undefined
}

/** A listing, and the run that read it under which options. */
type KeptListing = KnownListing & { readonly run: number; readonly key: string }

/** Finds what is due by itself. */
export async function findDue(
  connection: Connection,
  { repositoryId, optionsKey, committedRun, drafts, fullCheckMs }: DueContext,
  now: number,
  limit = MAX_FIRST
): Promise<Due> {
  const [row] = await connection.all<{ listing: string | null }>(
    'SELECT listing FROM repositories WHERE id = ?',
    repositoryId
  )
  const kept = JSON.parse(row?.listing ?? 'null') as KeptListing | null
  const known = kept !== null && kept.run === committedRun && kept.key === optionsKey && !drafts
  const due = await connection.all<{ project: string; name: string; failed: number }>(
    `SELECT project, name, failed_run IS NOT NULL AS failed FROM projects
     WHERE repository_id = ?3 AND (failed_run IS NOT NULL OR ?4 AND NOT gone AND (
       options_key IS NULL OR serial IS NULL OR held_until < CAST(?1 AS bigint) OR NOT ${READ_LATELY}))
     ORDER BY failed_run IS NULL, project LIMIT ?5`,
    now,
    fullCheckMs ?? null,
    repositoryId,
    known ? 1 : 0,
    limit + 1
  )
  const few = due.length <= limit
  const first = few ? due : due.filter(({ failed }) => failed === 1).slice(0, limit)
  const { run: _, key: __, ...listing } = kept ?? {}
  return {
    first: first.map(({ project, name }) => ({ project, name })),
    listing: known && few ? (listing as KnownListing) : undefined
  }
}

/** Keeps what is known of the listing for the next run; `undefined` if that may not ask on condition. */
export async function keepListing(
  connection: Connection,
  repositoryId: number,
  listing: KeptListing | undefined
): Promise<void> {
  await connection.run(
    'UPDATE repositories SET listing = ? WHERE id = ?',
    listing === undefined ? null : encodeJson(listing),
    repositoryId
  )
}
