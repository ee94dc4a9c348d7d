/** Runs the pip of this machine, where there is one, apart from all that is set up here for it. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export interface PipResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export type Pip = (...args: string[]) => Promise<PipResult>

/** A pip that works in `directory`; `undefined` where there is none. */
export function findPip(directory: string): Pip | undefined {
  // Configuration files and variables of the machine may name other indexes.
  const variables = Object.entries(process.env).filter(
    ([name]) => !/^(pip|python|https?_proxy|all_proxy)/i.test(name)
  )
  const home = join(directory, 'home')
  const env = { ...Object.fromEntries(variables), HOME: home, PIP_CONFIG_FILE: '/dev/null' }
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { env, stdio: 'ignore' })
  } catch {
    return undefined
  }
  mkdirSync(home, { recursive: true })
  const options = ['--isolated', '--no-cache-dir', '--disable-pip-version-check', '--no-input']
  return (...args) =>
    new Promise(resolve => {
      execFile(
        'python3',
        ['-m', 'pip', ...args, ...options],
        { cwd: directory, env },
        (error, stdout, stderr) =>
          resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
      )
    })
}
