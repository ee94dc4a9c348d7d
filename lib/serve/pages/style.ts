/**
 * How the pages look: ink on paper, and one colour, that of water. What is dammed up is ink, not another colour.
 */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: #fdfcf9;
  --ground: #f4f2ec;
  --ink: #1b2225;
  --soft: #556065;
  --line: #ddd9cf;
  --water: #0a6570;
  --still: #d3dedd;
  --serif: 'Iowan Old Style', 'Palatino Linotype', Palatino, 'URW Palladio L', P052, Georgia, serif;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #13181b;
    --ground: #1b2226;
    --ink: #e7e9e6;
    --soft: #a3aeb0;
    --line: #2f383d;
    --water: #6cc9d2;
    --still: #2b383c;
  }
}
*, ::before, ::after { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body {
  margin: 0 auto;
  max-width: 70rem;
  padding: 0 1.25rem 3rem;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.6 system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', sans-serif;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
h1, h2, .wordmark { font-family: var(--serif); font-weight: 500; letter-spacing: -.01em; text-wrap: balance }
h1 { margin: 2.5rem 0 .75rem; font-size: clamp(1.75rem, 1.4rem + 1.6vw, 2.5rem); line-height: 1.15 }
h2 { margin: 2.75rem 0 .75rem; font-size: 1.375rem; line-height: 1.25 }
h3 { margin: 0; font-size: 1rem; font-weight: 600 }
p { margin: .5rem 0 }
ul, ol, dl, dd { margin: 0; padding: 0; list-style: none }
a { color: var(--water); text-decoration-thickness: 1px; text-underline-offset: .18em }
a:hover { text-decoration-thickness: 2px }
:focus-visible { outline: 3px solid var(--water); outline-offset: 2px; border-radius: 2px }
main:focus { outline: none }
b { font-weight: 600 }
code, pre, .file, .digest, .url { font-family: var(--mono); font-size: .875em }
pre code { font-size: 1em }
.file { text-underline-offset: .3em }
pre {
  margin: 1rem 0;
  padding: .75rem 1rem;
  max-width: 44rem;
  background: var(--ground);
  border-radius: 6px;
  white-space: pre-wrap;
}
var { color: var(--soft); font-style: italic }
.soft { color: var(--soft) }
.lead { max-width: 42rem; font-size: 1.125rem }
.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.skip { position: absolute; left: -99rem; padding: .5rem 1rem; background: var(--paper); z-index: 1 }
.skip:focus { left: .5rem; top: .5rem }

.top {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: .25rem 2rem;
  padding: 1.25rem 0 .75rem;
  border-bottom: 1px solid var(--line);
}
.wordmark { font-size: 1.25rem; color: var(--ink); text-decoration: none }
.wordmark:hover { color: var(--water) }
.top nav { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1.5rem; flex: 1 }
.top ul { display: flex; gap: 1.25rem; margin-left: auto }
.top ul a { color: var(--ink); text-decoration: none; padding: .25rem 0; border-bottom: 2px solid transparent }
.top ul a:hover { border-color: var(--line) }
.top [aria-current] { border-color: var(--water) }
.where { font-weight: 600 }
footer { margin-top: 4rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem }
.lost, .notice { margin: 1rem 0; padding: .5rem 1rem; border-left: 4px solid var(--ink); background: var(--ground) }
.lost { position: fixed; right: 1rem; bottom: 1rem; left: 1rem; max-width: 36rem; margin: 0 auto }

table { width: 100%; border-collapse: collapse }
th, td { padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line) }
th:last-child, td:last-child { padding-right: 0 }
.number + :not(.number) { padding-left: 2rem }
thead th { color: var(--soft); font-size: .875rem; font-weight: 500 }
tbody th { font-weight: 600 }
th.number, td.number { text-align: right; white-space: nowrap }
th.number:first-child { width: 1%; text-align: left; padding-right: 1.5rem }
.mark {
  display: inline-block;
  padding: 0 .5em;
  border: 1px solid var(--line);
  border-radius: 1em;
  color: var(--soft);
  font: 500 .8125rem/1.5 system-ui, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif;
  letter-spacing: 0;
  vertical-align: .1em;
  white-space: nowrap;
}
.mark.strong { border-color: var(--ink); background: var(--ink); color: var(--paper) }
.facts { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 1.25rem 0 }
.facts dt { color: var(--soft); font-size: .875rem }
.facts dd { font-size: 1.25rem; line-height: 1.3 }
.more, .neighbours { display: flex; gap: 1.5rem; margin: 1.25rem 0 }

.search { max-width: 44rem; margin: 1.25rem 0 }
.search label { display: block; margin-bottom: .375rem; color: var(--soft) }
.search div { display: flex; gap: .5rem }
.search input, .search button { font: inherit; padding: .5rem .875rem; border-radius: 6px; color: inherit }
.search input { flex: 1; min-width: 0; border: 1px solid var(--soft); background: var(--paper) }
.search button { border: 1px solid var(--water); background: var(--water); color: var(--paper); cursor: pointer }
.found { color: var(--soft) }
.names { columns: 4 13rem; column-gap: 2rem; margin: .75rem 0 }
.names li { break-inside: avoid; padding: .125rem 0 }

.version { border-bottom: 1px solid var(--line) }
.version summary { padding: .625rem 0; cursor: pointer }
.version summary .name { font-weight: 600; margin-right: .25rem }
.version[open] summary { border-bottom: 1px dashed var(--line) }
.files > li { padding: .75rem 0 .75rem 1rem }
.files > li + li { border-top: 1px dashed var(--line) }
.details, .tags { display: flex; flex-wrap: wrap; gap: .125rem 1rem; font-size: .875rem; color: var(--soft) }
.tags { gap: .25rem .375rem; margin: .25rem 0 }
.tags li { padding: 0 .4em; background: var(--ground); border-radius: 3px; font: .8125rem/1.6 var(--mono) }
.digest { margin: .125rem 0 0; font-size: .75rem; line-height: 1.4; color: var(--soft) }

.changes { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .25rem 1.5rem; padding: .625rem 0; border-bottom: 1px solid var(--line) }
.sign { display: inline-block; width: 1.25em; font-family: var(--mono); font-weight: 600 }
.removed .file { text-decoration: line-through; color: var(--soft) }
.added .sign { color: var(--water) }
.differences { margin: .125rem 0 .25rem 1.25em; font-size: .875rem }
.differences div { display: flex; flex-wrap: wrap; gap: 0 .75rem }
.differences dt { color: var(--soft) }
.differences del { color: var(--soft) }
.differences ins { text-decoration: none }
.differences ins::before { content: '→ '; color: var(--soft) }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1rem 2.5rem; margin: 1.5rem 0 2rem }
figure { margin: 0 }
figcaption { margin-bottom: .5rem; font-weight: 600; font-size: .9375rem }
figcaption .soft { font-weight: 400 }
.chart { display: block; width: 100%; height: 5rem; overflow: visible }
.bar { fill: var(--water) }
.bar.hollow { fill: var(--paper); stroke: var(--water); vector-effect: non-scaling-stroke }
.ground { fill: none; stroke: var(--line); vector-effect: non-scaling-stroke }
.counts th { width: 8rem; padding-right: 1.5rem }
.count { display: inline-block; margin-right: 1.5rem }
.failures li { padding: .75rem 0; border-bottom: 1px solid var(--line) }
.failures p { margin: 0 }
.options div { display: flex; gap: 0 1rem; padding: .25rem 0; border-bottom: 1px solid var(--line) }
.options dt { flex: 0 0 13rem; color: var(--soft) }

.why { max-width: 44rem; margin: 1.25rem 0; font-family: var(--serif); font-size: 1.25rem; line-height: 1.4; min-height: 2.8em }
.together { max-width: 44rem; margin: 1.5rem 0 }
.race { margin: 1.75rem 0; padding-left: 1.75rem }
.race li { position: relative }
/* The water: a line from the first stage to the last. */
.race li::before { content: ''; position: absolute; left: -1.375rem; top: 0; bottom: 0; width: 2px; background: var(--line); transition: width .4s, background-color .4s }
.race .works::before, .race .pace::before { background: var(--water) }
.race .stage:first-child::before { top: 1.25rem }
.race .stage:last-child::before { bottom: auto; height: 1.25rem }
.race .dammed::before { background: var(--ink); width: 6px; margin-left: -2px }
.race .stage::after {
  content: '';
  position: absolute;
  left: -1.75rem;
  top: .9rem;
  width: calc(.75rem + 2px);
  height: calc(.75rem + 2px);
  border: 2px solid var(--line);
  border-radius: 50%;
  background: var(--paper);
}
.race .works::after { border-color: var(--water); background: var(--water) }
.race .held::after { border-color: var(--ink) }
.race .pace::after { border: 4px solid var(--water); background: var(--paper) }
.race .ended::after { border-color: var(--soft); background: var(--soft) }
.stage {
  display: grid;
  grid-template-columns: 19.5rem minmax(0, 1fr) 7rem 5rem 11.5rem;
  gap: .25rem 1.25rem;
  align-items: center;
  min-height: 2.5rem;
  padding: .375rem 0;
}
.stage .passed, .stage .rate { text-align: right; white-space: nowrap }
.flight { display: flex; flex-direction: column; gap: .125rem; line-height: 1.3; font-size: .875rem; color: var(--soft) }
.stage .state { color: var(--soft); font-size: .9375rem }
.stage.held .state { color: var(--ink) }
.stage.pace .state { color: var(--water); font-weight: 600 }
.cells { flex: none }
.channel { display: flex; align-items: center; gap: .75rem; min-height: 2.25rem; font-size: .875rem }
.cells { max-width: 100% }
.level { width: 9rem; height: 8px; border-radius: 4px; flex: none }
.empty { fill: var(--still) }
.full { fill: var(--water); transition: width .8s linear, fill .4s }
.dammed .full { fill: var(--ink) }

@media (max-width: 56rem) {
  .stage { grid-template-columns: 1fr auto auto; padding: .625rem 0 }
  .stage .who { grid-column: 1 / -1 }
  .stage .flight { grid-column: 1 / -1 }
  .stage .flight:empty { display: none }
  .stage .state { grid-column: 1; grid-row: 3 }
  .stage .passed { grid-column: 2; grid-row: 3 }
  .stage .rate { grid-column: 3; grid-row: 3 }
}
@media (max-width: 40rem) {
  body { padding: 0 1rem 2rem }
  .wide { display: none }
  .changes { grid-template-columns: 1fr }
  .top nav { flex-basis: 100%; justify-content: space-between }
  .number + :not(.number) { padding-left: .5rem }
  .level { width: 5rem }
  .options div { flex-wrap: wrap }
  .options dt { flex-basis: 100% }
  .facts { gap: .75rem 1.75rem }
  .files > li { padding-left: 0 }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { transition: none !important; scroll-behavior: auto !important }
}
`
