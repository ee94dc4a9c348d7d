/**
 * The formats of a project's document. To add one: a file beside this one, and a line here.
 */
import type { DocumentFormat } from './format.js'
import { legacyJson } from './legacy-json.js'
import { simpleHtml } from './simple-html.js'
import { simpleJson } from './simple-json.js'

/** In the order in which they are asked whether a document is theirs. */
export const documentFormats: readonly DocumentFormat[] = [simpleJson, legacyJson, simpleHtml]
