/**
 * What pages are dressed in: served from here, and named by their content, so that browsers may keep them.
 */
import { hash } from 'node:crypto'
import { SCRIPT } from './script.js'
import { STYLE } from './style.js'

/** A wheel in the water. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g fill="none" stroke="#0a6570" stroke-width="2.5" stroke-linecap="round"><circle cx="16" cy="14" r="9"/><path d="M16 5v18M7 14h18M9.6 7.6l12.8 12.8M22.4 7.6 9.6 20.4M2 28c3 0 3-2 6-2s3 2 6 2 3-2 6-2 3 2 6 2 3-2 4-2"/></g></svg>`

export interface Asset {
  readonly type: string
  readonly text: string
  /** Below the folder of assets. */
  readonly url: string
}

export const ASSETS = {
  style: asset('style.css', 'text/css; charset=utf-8', STYLE),
  script: asset('script.js', 'text/javascript; charset=utf-8', SCRIPT),
  icon: asset('icon.svg', 'image/svg+xml', ICON)
}

function asset(name: string, type: string, text: string): Asset {
  return { type, text, url: `${hash('sha256', text, 'hex').slice(0, 12)}/${name}` }
}
