/**
 * What all pages have around them.
 */
import { ASSETS } from './assets.js'
import { type Content, foreign, type Html, html } from './html.js'
import type { Links } from './links.js'

/** A repository as the head of its pages names it. */
export interface Place {
  /** Name, or `NAME@VERSION` where an older version is looked at. */
  readonly asked: string
  readonly name: string
}

/** The tabs of a repository. */
const TABS = { '': 'Versions', projects: 'Projects', runs: 'Runs' } as const

export interface PageParts {
  readonly links: Links
  readonly title: string
  readonly content: Content
  /** Whose page it is, and under which tab. */
  readonly place?: Place | undefined
  readonly tab?: keyof typeof TABS | undefined
  /** Whether what it shows goes on changing, so that it is to be renewed. @defaultValue false */
  readonly live?: boolean | undefined
}

/** Seconds after which a browser without scripts loads a page again that goes on changing. */
const RELOAD_SECONDS = 5

export function layout({ links, title, content, place, tab, live = false }: PageParts): string {
  const reload = html`<noscript><meta http-equiv="refresh" content="${RELOAD_SECONDS}"></noscript>`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Millrace</title>
<link rel="icon" type="image/svg+xml" href="${links.asset(ASSETS.icon.url)}">
<link rel="stylesheet" href="${links.asset(ASSETS.style.url)}">
<script type="module" src="${links.asset(ASSETS.script.url)}"></script>
${live && reload}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="wordmark" href="${links.home}">Millrace</a>
${place && repositoryNav(links, place, tab)}
</header>
<main id="main" tabindex="-1"${live && html` data-live`}>
${content}
</main>
<p class="lost" role="status" hidden>The server does not answer. This page tries again by itself.</p>
<footer><p>All times are UTC.</p></footer>
</body>
</html>
`.markup
}

function repositoryNav(links: Links, { asked, name }: Place, tab: PageParts['tab']): Html {
  const tabs = Object.entries(TABS).map(([page, label]) => {
    const current = page === tab && html` aria-current="page"`
    return html`<li><a href="${links.to(page === 'projects' ? asked : name, page)}"${current}>${label}</a></li>`
  })
  return html`<nav aria-label="Repository"><span class="where">${foreign(asked)}</span><ul>${tabs}</ul></nav>`
}

/** The way to the next part of a list. */
export function more(href: string | false | undefined, label: string): Html | undefined {
  return href === undefined || href === false
    ? undefined
    : html`<p class="more"><a href="${href}" rel="next">${label}</a></p>`
}

/** Facts beside each other: what, and how much. */
export function facts(list: Readonly<Record<string, Content>>): Html {
  const entries = Object.entries(list).filter(([, value]) => value !== undefined)
  return html`<dl class="facts">${entries.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`
  )}</dl>`
}

/** The field in which projects are searched, and a place for what is found. */
export function search(links: Links, asked: string, query: string, results: Content): Html {
  return html`<form class="search" role="search" action="${links.to(asked, 'projects')}">
<label for="q">Projects of ${foreign(asked)} that begin with</label>
<div><input id="q" name="q" type="search" value="${query}" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200">
<button>Search</button></div>
</form>
<div id="results">${results}</div>`
}
