/** The pages for people, in a real Chromium. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import t from 'tap'
import { findChromium, openPage, startBrowser } from '../helpers/browser.js'
import { serveSetup } from '../helpers/serve.js'
import { addProject, type SyncSetup, syncSetup } from '../helpers/sync.js'

const chromium = findChromium()
const R = '/-/repositories/pypi'

t.test('pages', { skip: chromium === undefined && 'there is no Chromium on this machine' }, async t => {
  const setup = await syncSetup(t)
  const { index } = setup
  const evil = '<img src=x onerror="document.title=1">'
  index.index.add({
    name: 'numpy',
    files: ['1.0', '2.0'].flatMap(version => [
      { filename: `numpy-${version}-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl` },
      { filename: `numpy-${version}.tar.gz`, yanked: version === '1.0' && evil }
    ])
  })
  for (const name of ['numba', 'nox', 'requests']) addProject(index, name, '1.0')
  await setup.run({ policy: 'immediate' })
  addProject(index, 'requests', '2.0')
  index.fault({ match: '/simple/nox/', kind: 'status', status: 403 })
  await setup.run({ policy: 'immediate', mirror: true, fullCheck: '0d' })
  const served = await serveSetup(t, setup)
  const browser = await startBrowser(t, chromium as string)

  await t.test('search as one types, by keyboard', async t => {
    const page = await openPage(t, browser)
    await page.goto(`${served.origin}/`)
    await page.keyboard.press('Tab')
    t.equal(await focused(page), 'Skip to the content')
    t.not(
      await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`),
      'none',
      'is to be seen'
    )
    await page.getByRole('searchbox').focus()
    await page.keyboard.type('num')
    await page.getByText('2 projects that begin with num').waitFor()
    await page.keyboard.type('p')
    await page.getByText('1 project that begins with nump').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    t.equal(await focused(page), 'numpy')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/projects\/numpy$/)
    t.match(await page.getByRole('heading', { level: 1 }).textContent(), /^numpy/)
    await page.goto(`${served.origin}${R}/projects`)
    await page.getByRole('searchbox').pressSequentially('req')
    await page.getByText('1 project that').waitFor()
    t.match(page.url(), /\?q=req$/, 'to be sent to others')
    await page.getByRole('searchbox').press('Enter')
    await page.getByText('1 project that').waitFor()
  })

  await t.test('the page of a project', async t => {
    const page = await openPage(t, browser)
    await page.goto(`${served.origin}${R}/projects/numpy`)
    t.strictSame(await page.locator('summary .name').allInnerTexts(), ['2.0', '1.0'])
    t.ok(await page.getByText('manylinux2014_x86_64', { exact: true }).first().isVisible())
    t.notOk(await page.getByText(evil).isVisible())
    await page.locator('summary').nth(1).press('Enter')
    t.ok(await page.getByText(evil).isVisible(), 'as text')
    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'numpy-2.0.tar.gz' }).click()
    t.equal((await downloading).suggestedFilename(), 'numpy-2.0.tar.gz')
  })

  await t.test('nothing serious for axe, in both themes, and all fits on a phone', async t => {
    const run = await startSlowSync(setup)
    const paths = [
      ...['/', `${R}/`, `${R}/versions/2`, `${R}/versions/1`, `${R}/projects?q=n`, `${R}/projects/numpy`],
      ...[`${R}/runs`, `${R}/runs/2`, run.path, `${R}/projects/none`]
    ]
    const page = await openPage(t, browser, {}, /404/)
    for (const path of paths) {
      await page.goto(`${served.origin}${path}`)
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 390]
      ] as const) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 844 })
        t.strictSame(await seriousFor(page), [], `${path} in the ${colorScheme} at ${width}`)
        const tooWide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
        t.equal(await page.evaluate(tooWide), 0, 'and it fits')
      }
    }
    await run.end()
  })

  await t.test('a sync, watched to its end', async t => {
    const run = await startSlowSync(setup)
    const page = await openPage(t, browser)
    await page.goto(`${served.origin}${run.path}`)
    await page.evaluate('window.same = true')
    await page.getByText('4 of 4 in flight').waitFor()
    await page.getByText('Downloader of documents, with all its 4 calls in flight, sets the pace').waitFor()
    await page.getByText('waits for Downloader of documents').waitFor()
    const done = async () =>
      Number.parseInt(
        `${await page.locator('.stage', { hasText: 'fetches their documents' }).locator('.passed').textContent()}`,
        10
      )
    const first = await done()
    while ((await done()) <= first) await page.waitForTimeout(100)
    await run.end()
    await page.getByText('Packages added').waitFor()
    t.equal(await page.locator('.race').count(), 0)
    t.equal(await page.evaluate('window.same'), true, 'it was never loaded anew')
    t.equal(await page.evaluate('document.querySelector("main").dataset.live'), undefined)
  })

  await t.test('a server that is gone for a while is told', async t => {
    const run = await startSlowSync(setup)
    const page = await openPage(t, browser, {}, /ERR_INTERNET_DISCONNECTED/)
    const context = page.context()
    await page.goto(`${served.origin}${run.path}`)
    await context.setOffline(true)
    await page.getByText('The server does not answer').waitFor()
    await context.setOffline(false)
    await page.getByText('The server does not answer').waitFor({ state: 'hidden' })
    await run.end()
  })

  await t.test('without scripts', async t => {
    const run = await startSlowSync(setup)
    const page = await openPage(t, browser, { javaScriptEnabled: false })
    await page.goto(`${served.origin}/`)
    await page.getByRole('searchbox').fill('NUM')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('2 projects that begin with NUM').waitFor()
    await page.goto(`${served.origin}${run.path}`)
    await page.getByText('VersionWriter').waitFor()
    await run.end()
    // It loads itself anew.
    await page.getByText('Packages added').waitFor()
  })

  await t.test('whoever wants no motion has none', async t => {
    const run = await startSlowSync(setup)
    const bar = 'getComputedStyle(document.querySelector(".race .full")).transitionProperty'
    for (const reducedMotion of ['no-preference', 'reduce'] as const) {
      const page = await openPage(t, browser, { reducedMotion })
      await page.goto(`${served.origin}${run.path}`)
      t.equal(await page.evaluate(bar), reducedMotion === 'reduce' ? 'none' : 'width, fill')
    }
    await run.end()
  })
})

let syncs = 0

/** A sync of an index that takes its time; `path` is that of its page. It is shown in full when this returns. */
async function startSlowSync({
  index,
  run,
  open
}: SyncSetup): Promise<{ path: string; end(): Promise<void> }> {
  const repository = `slow-${++syncs}`
  for (let at = 0; at < 60; at++) addProject(index, `p${at}`, '1.0')
  index.latencyMs = 250
  const running = run({ repository, concurrency: 4 })
  const id = await open(async catalog => {
    while (true) {
      const found = await catalog.progress(repository).catch(() => undefined)
      if (found?.progress !== undefined && found.progress.elapsedMs > 1000) return found.run
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  })
  return {
    path: `/-/repositories/${repository}/runs/${id}`,
    async end() {
      index.latencyMs = 0
      await running
    }
  }
}

function focused(page: Page): Promise<string> {
  return page.evaluate('document.activeElement.innerText')
}

/** What axe-core calls serious or worse. */
async function seriousFor(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
}
