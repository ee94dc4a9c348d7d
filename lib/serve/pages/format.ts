/**
 * Numbers, sizes and times for people.
 */
import prettyBytes from 'pretty-bytes'
import { type Html, html } from './html.js'

/** A number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en')
}

/** A number of things: `1 file`, `2 files`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** A size; what nobody tells is a dash. */
export function bytes(value: number | undefined): string {
  return value === undefined ? '–' : prettyBytes(value)
}

/** How long something took; what nobody knows is a dash. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  if (minutes < 60) return `${minutes} min ${two((ms % 60_000) / 1000)} s`
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })
const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

/** A day, or a moment to the minute, in UTC; what is no time is a dash. */
export function time(iso: string | null | undefined, exactly: 'day' | 'moment' = 'moment'): Html {
  const at = Date.parse(iso ?? '')
  if (Number.isNaN(at)) return html`–`
  const format = exactly === 'day' ? DAY : MOMENT
  return html`<time datetime="${new Date(at).toISOString()}">${format.format(at)}</time>`
}
