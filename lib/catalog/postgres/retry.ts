/**
 * What errors of PostgreSQL mean, and which of them may not come again.
 *
 * | what failed | tried again |
 * | --- | --- |
 * | two transactions got in each other's way | 10 times, after up to 20 ms times the attempt |
 * | the connection, or the server: restarted, starting, full | for a minute, after 100 ms, 200 ms … 2 s |
 *
 * Nothing else: what a statement itself is refused for (a constraint, a right, a full disk) will be refused again.
 */

/** How long a server may be away. */
const PATIENCE_MS = 60_000

const CONFLICTS = 10
const MOST_CONFLICT_MS = 20
const [FIRST_DELAY_MS, LONGEST_DELAY_MS] = [100, 2000]

/** serialization_failure and deadlock_detected. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CONFLICT_CODES: ReadonlySet<string> = new Set(['40001', '40P01'])

/** Connection exceptions are class 08. */
const LOST_CODES: ReadonlySet<string> = new Set([
  '25P03', // idle_in_transaction_session_timeout
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // the socket's file
  'EAI_AGAIN'
])

/** Of errors that pg makes itself, which have no code; knex puts a statement before them. */
const LOST_MESSAGES = /Connection terminated|Client has encountered a connection error|timeout expired/

/** What codes mean to whoever runs Millrace. */
const REASONS: Readonly<Record<string, string>> = {
  '28000': 'cannot be opened: the server refuses the user',
  '28P01': 'cannot be opened: the server refuses the user or the password',
  '3D000': 'cannot be opened: there is no such database',
  '42501': 'cannot be used: the user has not the right to',
  '53100': 'cannot be written: the disk is full',
  '25006': 'cannot be written: the server is read-only'
}

/** Whether the connection is gone or could not be made, or the server is not ready. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error)
  return code === ''
    ? LOST_MESSAGES.test((error as Error).message)
    : code.startsWith('08') || LOST_CODES.has(code)
}

/** What an error means; `undefined` where its message tells more. */
export function reason(error: unknown): string | undefined {
  if (isConnectionLost(error)) return `cannot be reached: ${(error as Error).message || codeOf(error)}`
  return REASONS[codeOf(error)]
}

/** After how many ms to try again; `undefined` for never. `failingMs` is how long the server has been away. */
export function retryAfter(error: unknown, attempt: number, failingMs: number): number | undefined {
  if (CONFLICT_CODES.has(codeOf(error))) {
    return attempt <= CONFLICTS ? Math.random() * MOST_CONFLICT_MS * attempt : undefined
  }
  if (!isConnectionLost(error) || failingMs >= PATIENCE_MS) return undefined
  return Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_DELAY_MS)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
