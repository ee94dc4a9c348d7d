/**
 * The runs of a repository: how long they took, what they brought, what failed.
 */
import type { Part } from '../../catalog/browse-reader.js'
import type { RunInfo } from '../../catalog/runs.js'
import { type Bar, barChart } from './chart.js'
import { bytes, count, duration, plural, time } from './format.js'
import { type Html, html } from './html.js'
import { layout, more } from './layout.js'
import type { Links } from './links.js'
import { stateMark } from './marks.js'

export function runsPage(links: Links, name: string, { items, next }: Part<RunInfo, number>): string {
  const content = html`<h1>Runs</h1>
${items.length === 0 ? html`<p class="lead">There are no runs to be shown here.</p>` : [charts(items), table(links, name, items)]}
${more(next !== undefined && `?before=${next}`, 'Older runs')}`
  return layout({
    ...{ links, content, title: `Runs of ${name}`, place: { asked: name, name }, tab: 'runs' },
    live: items.some(({ state }) => state === 'running')
  })
}

const MEASURES: readonly {
  readonly what: string
  readonly value: (run: RunInfo) => number
  readonly show: (value: number) => string
}[] = [
  { what: 'Duration', value: ({ durationMs = 0 }) => durationMs, show: duration },
  { what: 'Bytes of files', value: ({ report }) => report?.files.bytes ?? 0, show: bytes },
  { what: 'Failures', value: ({ report }) => report?.failures ?? 0, show: count }
]

/** Oldest run on the left. */
function charts(runs: readonly RunInfo[]): Html {
  const ended = runs.filter(({ state }) => state !== 'running').toReversed()
  return html`<div class="charts">${MEASURES.map(({ what, value, show }) => {
    const bars = ended.map((run): Bar => {
      const label = `Run ${run.id}: ${show(value(run))}`
      return { value: value(run), label, hollow: run.state !== 'done' }
    })
    const highest = show(Math.max(0, ...ended.map(value)))
    return html`<figure><figcaption>${what} <span class="soft">up to ${highest}</span></figcaption>
${barChart(`${what} of ${plural(ended.length, 'run')}, oldest first, up to ${highest}`, bars)}</figure>
`
  })}</div>`
}

function table(links: Links, name: string, runs: readonly RunInfo[]): Html {
  return html`<table>
<thead><tr><th scope="col" class="number">Run</th><th scope="col">Began</th><th scope="col" class="number">Took</th><th scope="col" class="number wide">Version</th><th scope="col" class="number wide">Projects read</th><th scope="col" class="number wide">Bytes of files</th><th scope="col" class="number">Failures</th></tr></thead>
<tbody>${runs.map(
    run => html`<tr><th scope="row" class="number"><a href="${links.to(name, `runs/${run.id}`)}">${run.id}</a></th><td>${time(run.startedAt)} ${stateMark(run.state)}</td><td class="number">${duration(run.durationMs)}</td><td class="number wide">${versionLink(links, name, run)}</td><td class="number wide">${run.report ? count(run.report.projects.fetched) : '–'}</td><td class="number wide">${bytes(run.report?.files.bytes)}</td><td class="number">${run.report ? count(run.report.failures) : '–'}</td></tr>
`
  )}</tbody>
</table>`
}

/** The version that was current when a run was committed; 0 is that of an empty repository. */
export function versionLink(links: Links, name: string, { version }: RunInfo): Html | string {
  return version === undefined || version === 0
    ? '–'
    : html`<a href="${links.to(name, `versions/${version}`)}">${count(version)}</a>`
}
