/**
 * The script of the pages. Without it all can be read; with it results come as one types, and a sync is seen as it runs.
 * What it shows is made by the server: it fetches a page and takes over what differs, so that what has the focus keeps
 * it, and bars can move.
 */
export const SCRIPT = `const RENEW_MS = 1000
const TYPING_MS = 120
const main = document.getElementById('main')
const lost = document.querySelector('.lost')

async function load(url, signal) {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(response.statusText)
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  for (const link of page.querySelectorAll('a[href]'))
    link.setAttribute('href', new URL(link.getAttribute('href'), response.url).href)
  return page
}

function takeOver(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh)
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data
    return
  }
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && name !== 'open') old.removeAttribute(name)
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]]
  after.forEach((child, at) => (at < before.length ? takeOver(before[at], child) : old.append(child)))
  for (const child of before.slice(after.length)) child.remove()
}

async function renew() {
  if (main.dataset.live === undefined) return
  if (!document.hidden) {
    try {
      const page = await load(location.href)
      takeOver(main, page.getElementById('main'))
      document.title = page.title
      lost.hidden = true
    } catch {
      lost.hidden = false
    }
  }
  setTimeout(renew, RENEW_MS)
}
setTimeout(renew, RENEW_MS)

const form = document.querySelector('form.search')
if (form) {
  const results = document.getElementById('results')
  let waiting
  let asking = new AbortController()
  form.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(async () => {
      asking.abort()
      asking = new AbortController()
      const url = form.action + '?' + new URLSearchParams(new FormData(form))
      try {
        const page = await load(url, asking.signal)
        takeOver(results, page.getElementById('results'))
        if (new URL(form.action).pathname === location.pathname) history.replaceState(null, '', url)
        lost.hidden = true
      } catch (error) {
        if (error.name !== 'AbortError') lost.hidden = false
      }
    }, TYPING_MS)
  })
}
`
