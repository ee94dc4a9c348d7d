/**
 * Bars beside each other, drawn here, so that they are there without scripts.
 */
import { type Html, html } from './html.js'

export interface Bar {
  readonly value: number
  /** What one is told who points at it. */
  readonly label: string
  /** Drawn as an outline: of something that did not come to a good end. */
  readonly hollow: boolean
}

const HEIGHT = 48
const STEP = 10

/** `label` says in words what the chart shows. The picture takes the width that there is. */
export function barChart(label: string, bars: readonly Bar[]): Html {
  const highest = Math.max(...bars.map(({ value }) => value), 1e-9)
  const shapes = bars.map(({ value, label, hollow }, at) => {
    // What is there at all can be seen.
    const height = value === 0 ? 0 : Math.max(1.5, (value / highest) * HEIGHT)
    return html`<rect class="bar${hollow && ' hollow'}" x="${at * STEP + 1}" y="${(HEIGHT - height).toFixed(1)}" width="${STEP - 2}" height="${height.toFixed(1)}"><title>${label}</title></rect>`
  })
  const width = Math.max(bars.length, 24) * STEP
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none">${shapes}<path class="ground" d="M0 ${HEIGHT}H${width}"/></svg>`
}
