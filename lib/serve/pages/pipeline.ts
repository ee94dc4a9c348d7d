/**
 * The picture of a sync while it runs: each stage with what is in flight, what is dammed up before it, how fast it goes,
 * and where the back-pressure comes from.
 */
import { isHeldUp, type Progress, pacemakers, type StageProgress } from '../../progress.js'
import { bytes, count, duration, plural } from './format.js'
import { type Content, type Html, html } from './html.js'
import { facts } from './layout.js'

/** What stages of ours do, in words. */
const ROLES: Readonly<Record<string, string>> = {
  ProjectSource: 'lists the projects',
  ProjectLookup: 'tells which are due',
  'Downloader documents': 'fetches their documents',
  MetadataParser: 'reads their packages',
  PackageFilter: 'keeps what is wanted',
  CatalogLookup: 'tells what is known',
  'Downloader files': 'fetches files',
  PackageSaver: 'saves packages',
  VersionWriter: 'makes the version'
}

/** Calls that are drawn one by one; more of them are a bar. */
const MAX_CELLS = 64

export function pipelineView(progress: Progress): Html {
  const { stages, report, left, listed, elapsedMs, cluster } = progress
  const pace = new Set(pacemakers(stages))
  return html`<p class="why" role="status">${cluster === undefined ? explanation([...pace].map(at => stages[at] as StageProgress)) : clusterView(cluster, listed)}</p>
${facts({
  Running: duration(elapsedMs),
  'Projects to go': `${count(left)}${listed ? '' : ' or more'}`,
  'Packages read': count(report.packages.seen),
  'Bytes of files': bytes(report.files.bytes),
  Failures: count(report.failures)
})}
<ol class="race">
${stages.map((stage, at) => [stageView(stages, at, pace), channelView(stage, stages[at + 1])])}
</ol>
${together(stages)}`
}

function clusterView({ shards, done, workers }: NonNullable<Progress['cluster']>, listed: boolean): Html {
  if (!listed) return html`The listing is read; then a cluster of workers does the rest.`
  return html`A cluster does it: <b>${count(done)} of ${plural(shards, 'shard')}</b> done, <b>${plural(workers, 'worker')}</b> at work.`
}

function explanation(pace: readonly StageProgress[]): Content {
  const [first, ...others] = pace
  if (first === undefined) return 'Nothing is dammed up: each stage takes what the one before it gives.'
  const names = [first, ...others].map(
    (stage, at) => html`${at > 0 && ' and '}<b>${nameOf(stage)}</b>${busy(stage)}`
  )
  return others.length === 0
    ? html`${names} sets the pace: what is above waits until it takes more, what is below takes all that it gives.`
    : html`${names} set the pace: what is above each waits until it takes more.`
}

/** That no further call may be made is all that such a stage waits for. */
function busy({ inFlight = 0, concurrency = 0 }: StageProgress): string {
  return inFlight > 0 && inFlight >= concurrency
    ? `, with all its ${count(concurrency)} calls in flight,`
    : ''
}

function nameOf({ name, fetches }: StageProgress): string {
  return fetches === undefined ? name : `${name} of ${fetches}`
}

function stageView(stages: readonly StageProgress[], at: number, pace: ReadonlySet<number>): Html {
  const stage = stages[at] as StageProgress
  const { name, fetches, inFlight, concurrency, passed, rate } = stage
  const state = stateOf(stages, at, pace)
  return html`<li class="stage ${state.class}">
<div class="who"><b>${name}</b> <span class="soft">${ROLES[fetches === undefined ? name : `${name} ${fetches}`]}</span></div>
<div class="flight">${inFlight !== undefined && concurrency !== undefined && [cells(inFlight, concurrency), html`<span>${count(inFlight)} of ${count(concurrency)} in flight</span>`]}</div>
<div class="passed">${passed !== undefined && html`${count(passed)} <span class="soft">done</span>`}</div>
<div class="rate">${rate !== undefined && html`${count(rate)}<span class="soft">/s</span>`}</div>
<div class="state">${state.words}</div>
</li>
`
}

function stateOf(
  stages: readonly StageProgress[],
  at: number,
  pace: ReadonlySet<number>
): { readonly class: string; readonly words: string } {
  const stage = stages[at] as StageProgress
  const { ended, inFlight = 0, rate = 0, input } = stage
  if (ended) return { class: 'ended', words: 'is through' }
  if (pace.has(at)) return { class: 'pace', words: 'sets the pace' }
  const reader = stages[at + 1]
  if (reader !== undefined && isHeldUp(stage)) return { class: 'held', words: `waits for ${nameOf(reader)}` }
  if (inFlight > 0 || rate > 0 || (input?.length ?? 0) > 0) return { class: 'works', words: 'flows' }
  return { class: 'idle', words: reader === undefined ? 'waits for the end' : 'has nothing to do' }
}

/** What is between two stages: what the one has given and the other not taken. */
function channelView(stage: StageProgress, reader: StageProgress | undefined): Html | undefined {
  if (reader === undefined) return undefined
  const { output, concurrency = 1 } = stage
  const length = (output?.length ?? 0) + (reader.input?.length ?? 0)
  // Calls that were in flight when the reader took no more are given to it all the same.
  const limit = (output?.highWaterMark ?? 0) + concurrency - 1 + (reader.input?.highWaterMark ?? 0)
  const held = isHeldUp(stage)
  const flows = !held && (stage.rate ?? 0) > 0
  return html`<li class="channel${held && ' dammed'}${flows && ' works'}">${bar(length, limit)}<span>${count(length)} <span class="soft">of</span> ${count(limit)} <span class="soft">buffered${held && `, dammed up ${Math.round(stage.waits * 100)} % of the time`}</span></span></li>
`
}

/** Calls, each a cell that is full while it is in flight. The words are beside it. */
function cells(inFlight: number, concurrency: number): Html {
  if (concurrency > MAX_CELLS) return bar(inFlight, concurrency)
  const shapes = Array.from(
    { length: concurrency },
    (_, at) => html`<rect class="${at < inFlight ? 'full' : 'empty'}" x="${at * 8}" width="6" height="14"/>`
  )
  return html`<svg class="cells" aria-hidden="true" width="${concurrency * 8}" height="14" viewBox="0 0 ${concurrency * 8} 14" preserveAspectRatio="none">${shapes}</svg>`
}

function bar(value: number, limit: number): Html {
  const width = limit === 0 ? 0 : Math.min(100, (value / limit) * 100)
  return html`<svg class="level" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none"><rect class="empty" width="100" height="8"/><rect class="full" width="${width.toFixed(1)}" height="8"/></svg>`
}

/** Below this, as good as one after the other. */
const TOGETHER = 1.5

/** Why there are so many at once. */
function together(stages: readonly StageProgress[]): Html | undefined {
  const documents = stages.find(({ fetches }) => fetches === 'documents')
  const mean = documents?.meanInFlight ?? 0
  if (mean < TOGETHER) return undefined
  return html`<p class="together">On the average <b>${mean.toFixed(1)} documents</b> were in flight at once. Fetched one after the other, with the same time for each answer, they would have taken ${plural(Math.round(mean), 'time')} as long, and all that is below would have waited for them.</p>`
}
