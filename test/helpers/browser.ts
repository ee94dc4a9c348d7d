/** A real Chromium, where the machine has one. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Where it is; `undefined` where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap(folder => NAMES.map(name => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Starts it, until the test ends. */
export async function startBrowser(t: Test, executablePath: string): Promise<Browser> {
  // Chromium's sandbox does not start for root, and its pages here are our own.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  return browser
}

/**
 * Opens a page that may not complain, of scripts that fail, or of what the policy forbids; but of what is `expected`.
 */
export async function openPage(
  t: Test,
  browser: Browser,
  options: BrowserContextOptions = {},
  expected?: RegExp
): Promise<Page> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.on('console', message => {
    if (message.type() === 'error' && !expected?.test(message.text())) t.fail(message.text())
  })
  page.on('pageerror', error => t.fail(error.message))
  t.teardown(() => context.close())
  return page
}
