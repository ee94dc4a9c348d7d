/**
 * Runs a case in a process of its own, so that its peak memory is its own.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a process of its own tells. */
export interface OwnProcess<Result> {
  readonly result: Result
  readonly ms: number
  readonly cpuMs: number
  /** Peak resident memory of the process, Node itself included. */
  readonly peakBytes: number
}

const HERE = fileURLToPath(import.meta.url)
const MARK = '\u001eresult '

/**
 * Calls `function_` of the module at `url` with `args`, which must be data, as its result must be.
 */
export async function inOwnProcess<Result>(
  url: string,
  function_: string,
  ...args: readonly unknown[]
): Promise<OwnProcess<Result>> {
  const child = spawn(
    process.execPath,
    [...process.execArgv, HERE, fileURLToPath(url), function_, JSON.stringify(args)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, MILLRACE_BENCH_CHILD: '1' } }
  )
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const [code, signal] = await once(child, 'close')
  const line = out.split('\n').find(line => line.startsWith(MARK))
  if (code !== 0 || line === undefined) throw new Error(`${function_} ended with ${code ?? signal}: ${out}`)
  return JSON.parse(line.slice(MARK.length)) as OwnProcess<Result>
}

if (process.env.MILLRACE_BENCH_CHILD !== undefined && process.argv[1] === HERE) {
  const [, , path = '', name = '', args = '[]'] = process.argv
  const module = (await import(path)) as Record<string, (...args: unknown[]) => Promise<unknown>>
  const cpu = process.cpuUsage()
  const start = performance.now()
  const result = (await module[name]?.(...(JSON.parse(args) as unknown[]))) ?? null
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const peakBytes = process.resourceUsage().maxRSS * 1024
  process.stdout.write(
    `\n${MARK}${JSON.stringify({ result, ms, cpuMs: (user + system) / 1000, peakBytes })}\n`
  )
}
