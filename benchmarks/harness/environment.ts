/**
 * Where figures come from: they mean nothing without it.
 */
import { execFile } from 'node:child_process'
import { cpus, getPriority, loadavg, platform, release, totalmem } from 'node:os'
import { promisify } from 'node:util'

export interface Environment {
  readonly date: string
  readonly commit: string
  readonly node: string
  readonly system: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  /** Processes that wanted a core in the minute before. */
  readonly load: number
  /** Niceness: below 0, others on the machine have to wait. */
  readonly priority: number
}

export async function readEnvironment(root: string): Promise<Environment> {
  const [cpu] = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await commitOf(root),
    node: process.version,
    system: `${platform()} ${release()}`,
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    load: Number((loadavg()[0] as number).toFixed(1)),
    priority: getPriority()
  }
}

async function commitOf(root: string): Promise<string> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd: root })).stdout.trim()
  try {
    const changed = await git('status', '--porcelain', '--', 'lib', 'streams', 'benchmarks/*.ts')
    return `${await git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ' with changes'}`
  } catch {
    return 'unknown'
  }
}
