import t from 'tap'
import { Metrics } from '../../../lib/serve/metrics.js'

t.test('servers count for themselves', async t => {
  const make = () => new Metrics({ lookups: () => ({ hits: 2, misses: 1 }), inFlight: () => 3 })
  const [one, other] = [make(), make()]
  one.answered('file', 200, 0.5, 100)
  one.file('shared')
  one.fetched(7)
  const text = await one.registry.metrics()
  t.match(text, 'millrace_http_requests_total{kind="file",status="200"} 1')
  t.match(text, 'millrace_downloads_in_flight 3')
  t.match(text, 'millrace_page_lookups_total{result="hit"} 2')
  t.equal(await one.registry.metrics(), text, 'asking changes nothing')
  t.notMatch(await other.registry.metrics(), 'kind="file",status')
})
