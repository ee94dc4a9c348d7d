/** Runs the command line, as it is built, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** The built file. */
export const CLI = fileURLToPath(new URL('../../dist/bin/millrace.js', import.meta.url))

export interface CliResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** What stderr has, line by line. */
  readonly lines: readonly string[]
}

/** Starts it; `result` is there when it has ended. */
export function startCli(
  args: readonly string[],
  cwd: string
): { readonly child: ChildProcess; readonly result: Promise<CliResult> } {
  // Without the loader that the tests run in.
  const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const result = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [status]]) => ({
      status: status as number | null,
      stdout,
      stderr,
      lines: stderr.split('\n').filter(Boolean)
    })
  )
  return { child, result }
}

/** Runs it to its end. */
export function cli(args: readonly string[], cwd: string): Promise<CliResult> {
  return startCli(args, cwd).result
}
