/**
 * Short words that mark what is not as usual. They are words, not colours alone.
 */
import type { RunInfo } from '../../catalog/runs.js'
import type { ProjectStatus } from '../../pypi/package.js'
import { type Html, html } from './html.js'

/** A mark; a strong one is a warning. */
export function mark(word: string, strong = false): Html {
  return html`<span class="mark${strong && ' strong'}">${word}</span>`
}

/** The status of a project (PEP 792); the usual one has no mark. */
export function statusMark(status: ProjectStatus): Html | undefined {
  return status === 'active' ? undefined : mark(status, status === 'quarantined')
}

/** How a run ended; one that is done has no mark. */
export function stateMark(state: RunInfo['state']): Html | undefined {
  return state === 'done' ? undefined : mark(state, state === 'failed' || state === 'dead')
}
