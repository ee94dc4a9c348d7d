/** What is chosen is tested on the server, in `routes/simple.ts`. */
import t from 'tap'
import { OFFERED_TYPES } from '../../../lib/serve/negotiate.js'

t.equal(
  OFFERED_TYPES,
  'text/html, application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html, application/json'
)
