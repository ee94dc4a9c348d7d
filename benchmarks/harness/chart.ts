/**
 * Draws curves as SVG, readable on light and dark ground alike: the colours follow the reader's preference.
 */

export interface Series {
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  /** The file is NAME.svg, or NAME-SUFFIX.svg. */
  readonly suffix?: string | undefined
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xLog?: boolean | undefined
  readonly yLog?: boolean | undefined
  readonly series: readonly Series[]
  /** A line to compare with. */
  readonly bar?: { readonly y: number; readonly label: string } | undefined
}

const WIDTH = 720
const HEIGHT = 400
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 170, 44, 52]

/** Of equal weight for people who see colours in any way, on both grounds; curves also differ in their marks. */
const LIGHT = ['#0b62b0', '#b3541e', '#2a7d4f', '#8a3d96', '#7a6a00', '#5c5f66']
const DARK = ['#6db3f2', '#f0a070', '#6fcf97', '#d79be3', '#d9c74a', '#b3b8c2']
const DASHES = ['', '6 3', '2 3', '9 3 2 3', '12 4', '1 2']

/** The picture, as text. */
export function drawChart(chart: Chart): string {
  const { title, xLabel, yLabel, series, bar } = chart
  const points = series.flatMap(({ points }) => points)
  const x = axis(
    points.map(([x]) => x),
    chart.xLog ?? false,
    LEFT,
    WIDTH - RIGHT
  )
  const ys = points.map(([, y]) => y)
  if (bar !== undefined) ys.push(bar.y)
  const y = axis(chart.yLog ? ys : [0, ...ys], chart.yLog ?? false, HEIGHT - BOTTOM, TOP)
  const colours = (list: readonly string[]) =>
    list.map((colour, at) => `.s${at}{stroke:${colour}}.m${at}{fill:${colour}}`).join('')
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:14px;font-weight:600}.grid{stroke:#d0d7de}.axis{stroke:#57606a}.curve{fill:none;stroke-width:2}.bar{stroke:#57606a;stroke-dasharray:3 4}.ground{fill:#fff}${colours(LIGHT)}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}.axis{stroke:#8b949e}.bar{stroke:#8b949e}.ground{fill:#0d1117}${colours(DARK)}}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${LEFT}" y="22">${escaped(title)}</text>`
  ]
  for (const tick of x.ticks) {
    const at = x.at(tick).toFixed(1)
    parts.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`,
      `<text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${short(tick)}</text>`
    )
  }
  for (const tick of y.ticks) {
    const at = y.at(tick).toFixed(1)
    parts.push(
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`,
      `<text x="${LEFT - 8}" y="${(y.at(tick) + 4).toFixed(1)}" text-anchor="end">${short(tick)}</text>`
    )
  }
  parts.push(
    `<path class="axis" fill="none" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>`,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`
  )
  if (bar !== undefined) {
    const at = y.at(bar.y).toFixed(1)
    parts.push(
      `<line class="bar" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${(y.at(bar.y) + 4).toFixed(1)}">${escaped(bar.label)}</text>`
    )
  }
  series.forEach(({ label, points }, index) => {
    const at = index % LIGHT.length
    const path = points.map(
      ([px, py], n) => `${n === 0 ? 'M' : 'L'}${x.at(px).toFixed(1)} ${y.at(py).toFixed(1)}`
    )
    const legend = TOP + 8 + index * 20
    const dash = DASHES[at] === '' ? '' : ` stroke-dasharray="${DASHES[at]}"`
    parts.push(`<path class="curve s${at}"${dash} d="${path.join('')}"/>`)
    for (const [px, py] of points)
      parts.push(`<circle class="m${at}" r="3" cx="${x.at(px).toFixed(1)}" cy="${y.at(py).toFixed(1)}"/>`)
    parts.push(
      `<path class="curve s${at}"${dash} d="M${WIDTH - RIGHT + 12} ${legend}h26"/>`,
      `<text x="${WIDTH - RIGHT + 44}" y="${legend + 4}">${escaped(label)}</text>`
    )
  })
  return `${parts.join('\n')}\n</svg>\n`
}

interface Axis {
  readonly ticks: readonly number[]
  at(value: number): number
}

function axis(values: readonly number[], log: boolean, from: number, to: number): Axis {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (log) {
    const [first, last] = [Math.log10(low), Math.log10(high)]
    const span = last - first || 1
    const ticks: number[] = []
    for (let power = Math.floor(first); power <= Math.ceil(last); power++) {
      for (const step of span > 3 ? [1] : [1, 2, 5]) {
        const tick = step * 10 ** power
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick)
      }
    }
    return { ticks, at: value => from + ((Math.log10(value) - first) / span) * (to - from) }
  }
  const step = niceStep((high - low || 1) / 5)
  const [first, last] = [Math.floor(low / step) * step, Math.ceil(high / step) * step]
  const ticks: number[] = []
  for (let tick = first; tick <= last + step / 2; tick += step) ticks.push(Number(tick.toPrecision(12)))
  return { ticks, at: value => from + ((value - first) / (last - first || 1)) * (to - from) }
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find(factor => factor * power >= rough) as number
  return factor * power
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`
  if (value >= 10_000) return `${value / 1000}k`
  return String(Number(value.toPrecision(6)))
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
