/**
 * Exit statuses, and how an error is told: one line that names what and where.
 */
import { CommanderError } from 'commander'
import { OptionError, RequirementError } from '../lib/errors.js'

export const EXIT = { done: 0, failed: 1, usage: 2, incomplete: 3, interrupted: 130 } as const

/** The status for an error that ended a command. */
export function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (error instanceof OptionError || error instanceof RequirementError) return EXIT.usage
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted
  return EXIT.failed
}

/** The error on one line, with its code, for stderr. */
export function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return `millrace: ${String(error)}`
  const { code } = error as NodeJS.ErrnoException
  return `millrace: ${error.message.replace(/\s*\n\s*/g, ' ')}${code?.startsWith('ERR_') ? ` [${code}]` : ''}`
}
