/** What is sent is tested on the server, in `routes/`. */
import t from 'tap'
import { REVALIDATE } from '../../../lib/serve/answers.js'

t.match(REVALIDATE, 'no-cache')
