import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { metrics, trace } from '@opentelemetry/api'
import t, { type Test } from 'tap'
import { addProject, syncSetup } from '../helpers/sync.js'

const CHANNELS = [
  ...['download:start', 'download:retry', 'download:end', 'download:error', 'project', 'skip', 'version'],
  ...['sync:start', 'sync:end', 'sync:error']
].map(name => `millrace:${name}`)

/** All messages of a test, by channel. */
function listen(t: Test): Map<string, Record<string, unknown>[]> {
  const messages = new Map<string, Record<string, unknown>[]>(CHANNELS.map(name => [name, []]))
  for (const name of CHANNELS) {
    const listener: ChannelListener = message => messages.get(name)?.push(message as Record<string, unknown>)
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  return messages
}

t.test('messages of a sync', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'a', '1.0', '2.0')
  addProject(setup.index, 'b', '1.0')
  setup.index.fault({ match: '/simple/a/', times: 1, kind: 'status', status: 503 })
  setup.index.fault({ match: '/simple/b/', kind: 'status', status: 403 })
  const messages = listen(t)
  const indexUrl = setup.index.indexUrl.replace('http://', 'http://me:secret@')
  await setup.run({ indexUrl })
  t.match(messages.get('millrace:sync:start'), [{ repository: 'pypi' }])
  t.equal(messages.get('millrace:download:start')?.length, 3)
  t.match(messages.get('millrace:download:retry'), [
    { url: /simple\/a\/$/, error: { statusCode: 503 }, delayMs: Number }
  ])
  t.match(messages.get('millrace:download:end'), [
    { url: /simple\/$/, status: 200, bytes: Number, attempts: 1, durationMs: Number },
    { url: /simple\/a\/$/, attempts: 2 }
  ])
  t.match(messages.get('millrace:download:error'), [
    { url: /simple\/b\/$/, error: { statusCode: 403 }, durationMs: Number }
  ])
  t.match(messages.get('millrace:project'), [{ project: 'a', packages: 2, skipped: 0, unchanged: false }])
  t.match(messages.get('millrace:skip'), [{ code: 'ERR_MILLRACE_STATUS', project: 'b', attempts: 1 }])
  t.match(messages.get('millrace:version'), [
    { repository: 'pypi', version: 1, added: 2, removed: 0, present: 2 }
  ])
  t.match(messages.get('millrace:sync:end'), [{ report: { version: 1 } }])
  t.strictSame(messages.get('millrace:sync:error'), [])
  t.notMatch(JSON.stringify([...messages]), 'secret')

  setup.index.clearFaults()
  await setup.index.down()
  await t.rejects(setup.run({ maxRetries: 0 }))
  t.match(messages.get('millrace:sync:error'), [
    { repository: 'pypi', error: { code: 'ERR_MILLRACE_NETWORK' } }
  ])
  await setup.index.up()
  await setup.run()
  await setup.run()
  t.equal(messages.get('millrace:version')?.length, 2, 'none where none is made')
})

t.test('spans and metrics, for an SDK that comes late', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'a', '1.0')
  setup.index.fault({ match: '/simple/a/', times: 1, kind: 'reset' })
  await setup.run()

  const spans: {
    name: string
    attributes: Record<string, unknown>
    events: string[]
    status: number
    ended: boolean
  }[] = []
  const added: [string, number, object][] = []
  const startSpan = (name: string, { attributes = {} }: { attributes?: Record<string, unknown> } = {}) => {
    const span = { name, attributes: { ...attributes }, events: [] as string[], status: 0, ended: false }
    spans.push(span)
    return {
      isRecording: () => true,
      setAttribute: (key: string, value: unknown) => void Object.assign(span.attributes, { [key]: value }),
      setAttributes: (more: object) => void Object.assign(span.attributes, more),
      addEvent: (event: string) => void span.events.push(event),
      recordException: () => void span.events.push('exception'),
      setStatus: ({ code }: { code: number }) => void Object.assign(span, { status: code }),
      end: () => void Object.assign(span, { ended: true })
    }
  }
  const tracer = {
    startSpan,
    startActiveSpan: (name: string, options: object, work: (span: unknown) => unknown) =>
      work(startSpan(name, options))
  }
  const instrument = (name: string) => ({
    add: (value: number, attributes = {}) => void added.push([name, value, attributes]),
    record: () => void added.push([name, 1, {}])
  })
  trace.setGlobalTracerProvider({ getTracer: () => tracer } as never)
  metrics.setGlobalMeterProvider({
    getMeter: () => ({ createCounter: instrument, createHistogram: instrument })
  } as never)
  t.teardown(() => {
    trace.disable()
    metrics.disable()
  })
  addProject(setup.index, 'b', '1.0')
  setup.index.clearFaults()
  setup.index.fault({ match: '/simple/b/', times: 1, kind: 'reset' })
  setup.index.fault({ match: '/simple/c/', kind: 'status', status: 403 })
  addProject(setup.index, 'c', '1.0')
  await setup.run()
  const [sync, ...downloads] = spans
  t.match(sync, {
    name: 'millrace.sync',
    ended: true,
    attributes: { repository: 'pypi', version: 2, added: 1 }
  })
  t.ok(downloads.every(({ name, ended }) => name === 'millrace.download' && ended))
  const of = (path: string) =>
    downloads.find(({ attributes }) => String(attributes['url.full']).endsWith(path))
  t.match(of('/b/'), {
    events: ['retry'],
    attributes: { 'millrace.attempts': 2, 'http.response.status_code': 200 }
  })
  t.match(of('/c/'), { events: ['exception'], status: 2 })
  t.match(
    added.filter(([name]) => name === 'millrace.downloads').map(([, , attributes]) => attributes),
    [{ status: 200 }]
  )
  t.match(
    added.find(([name]) => name === 'millrace.syncs'),
    ['millrace.syncs', 1, { outcome: 'incomplete' }]
  )
  for (const name of ['download.retries', 'download.bytes', 'download.duration', 'packages'])
    t.ok(
      added.some(([found]) => found === `millrace.${name}`),
      name
    )

  spans.length = 0
  await t.rejects(setup.run({ signal: AbortSignal.timeout(1), indexUrl: 'http://127.0.0.1:9/simple/' }))
  t.ok(spans.every(({ ended }) => ended))
})

t.test('the documentation names what there is', async t => {
  const documentation = readFileSync('docs/observability.md', 'utf8')
  const source = readFileSync('lib/observe.ts', 'utf8')
  for (const name of CHANNELS) t.ok(documentation.includes(`\`${name}\``), name)
  const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name).sort()
  t.strictSame(names(documentation, /^\| `(millrace:[a-z:]+)`/gm), names(source, /channel\('([^']+)'\)/g))
  t.strictSame(
    names(documentation, /^\| `(millrace\.[a-z.]+)`/gm),
    names(source, /(?:create\w+|start\w*Span)\('([^']+)'/g)
  )
})
