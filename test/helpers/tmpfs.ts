/** Mounts a small file system for a test, where that is allowed. */
import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'

/** Whether `directory` now is a file system of so many KiB of its own; it goes when the test ends. */
export function mountTmpfs(t: Test, directory: string, kib: number, ...options: string[]): boolean {
  try {
    const settings = [`size=${kib}k`, ...options].join(',')
    execFileSync('mount', ['-t', 'tmpfs', '-o', settings, 'millrace-test', directory], { stdio: 'ignore' })
  } catch {
    return false
  }
  t.teardown(() => execFileSync('umount', ['-l', directory]))
  return true
}
