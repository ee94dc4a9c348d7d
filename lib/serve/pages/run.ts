/**
 * The page of a run: what it does while it runs, and then what it did and what it could not have.
 */
import type { Part } from '../../catalog/browse-reader.js'
import type { RunProgress } from '../../catalog/progress.js'
import type { RunInfo } from '../../catalog/runs.js'
import type { Failure } from '../../report.js'
import { bytes, count, duration, plural, time } from './format.js'
import { type Content, foreign, type Html, html } from './html.js'
import { facts, layout, more } from './layout.js'
import type { Links } from './links.js'
import { stateMark } from './marks.js'
import { pipelineView } from './pipeline.js'
import { versionLink } from './runs.js'

/** Silence after which a run may be dead, in ms. */
const SILENT_MS = 10_000

export function runPage(
  links: Links,
  name: string,
  run: RunInfo,
  progress: RunProgress | undefined,
  failures: Part<Failure, number>,
  now: number
): string {
  const { id, state, startedAt, options } = run
  const live = state === 'running'
  const content = html`<h1>Run ${id} ${stateMark(state)}</h1>
<p class="lead">Began ${time(startedAt)}${!live && run.durationMs !== undefined && `, took ${duration(run.durationMs)}`}.</p>
${live ? underWay(progress, now) : outcome(links, name, run)}
${failures.items.length > 0 && failureList(links, name, failures)}
${optionList(options as Readonly<Record<string, unknown>>)}`
  return layout({ links, content, live, title: `Run ${id} of ${name}`, place: { asked: name, name } })
}

function underWay(progress: RunProgress | undefined, now: number): Content {
  if (progress?.progress === undefined) return html`<p>It is beginning, and has not said anything yet.</p>`
  const silentMs = now - Date.parse(progress.at as string)
  return html`${
    silentMs > SILENT_MS &&
    html`<p class="notice">It has not said anything for ${duration(silentMs)}: it is making a version, or it was killed.</p>`
  }
${pipelineView(progress.progress)}`
}

function outcome(links: Links, name: string, run: RunInfo): Html {
  const { report } = run
  if (report === undefined)
    return html`<p>It left no report.${run.state === 'dead' && ' Its process was killed, or lost its machine.'}</p>`
  const { projects, packages, files, failures } = report
  return html`${facts({
    Version: versionLink(links, name, run),
    'Packages added': count(packages.added),
    'Packages removed': count(packages.removed),
    'Bytes of files': bytes(files.bytes),
    Failures: count(failures)
  })}
<table class="counts">
<tbody>
${counts('Projects', projects)}${counts('Packages', packages)}${counts('Files', { downloaded: files.downloaded, reused: files.reused, failed: files.failed })}</tbody>
</table>`
}

function counts(what: string, values: Readonly<Record<string, number>>): Html {
  const shown = Object.entries(values).map(
    ([name, value]) => html`<span class="count">${count(value)} <span class="soft">${name}</span></span> `
  )
  return html`<tr><th scope="row">${what}</th><td>${shown}</td></tr>
`
}

function failureList(links: Links, name: string, { items, next }: Part<Failure, number>): Html {
  return html`<section aria-labelledby="failures">
<h2 id="failures">What it could not have</h2>
<ul class="failures">${items.map(failure => failureEntry(links, name, failure))}</ul>
${more(next !== undefined && `?after=${next}`, 'More failures')}
</section>`
}

function failureEntry(links: Links, name: string, failure: Failure): Html {
  const { code, project, filename, url, attempts, message } = failure
  return html`<li>
<p>${project !== undefined && html`<a href="${links.project(name, project)}">${foreign(project)}</a> `}${filename !== undefined && foreign(filename)}</p>
<p>${foreign(message)}</p>
<p class="soft"><code>${code}</code>${attempts > 0 && ` after ${plural(attempts, 'attempt')}`}${url !== undefined && !message.includes(url) && html` · <span class="url">${foreign(url)}</span>`}</p>
</li>
`
}

function optionList(options: Readonly<Record<string, unknown>>): Html | false {
  const entries = Object.entries(options)
  return (
    entries.length > 0 &&
    html`<section aria-labelledby="options">
<h2 id="options">What it was asked to do</h2>
<dl class="options">${entries.map(
      ([name, value]) =>
        html`<div><dt>${name}</dt><dd>${foreign(Array.isArray(value) ? value.join(', ') : String(value))}</dd></div>`
    )}</dl>
</section>`
  )
}
