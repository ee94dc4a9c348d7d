import t from 'tap'
import { documentLimits } from '../../../../lib/pypi/documents/limits.js'

const defaults = documentLimits()
t.same(defaults, {
  wholeBytes: 2_097_152,
  maxDepth: 64,
  maxLexeme: 16_777_216,
  maxEntry: 1_048_576,
  maxEntries: 2_000_000
})
t.same(documentLimits({ maxDepth: undefined }), defaults, 'undefined means the default')
t.same(documentLimits({ wholeBytes: 0 }).wholeBytes, 0, 'nothing is parsed at once')
t.throws(() => documentLimits({ maxDepth: 0 }), { code: 'ERR_MILLRACE_OPTION', option: 'limits.maxDepth' })
t.throws(() => documentLimits({ wholeBytes: -1 }), {
  code: 'ERR_MILLRACE_OPTION',
  option: 'limits.wholeBytes'
})
t.throws(() => documentLimits({ maxEntry: 1.5 }), { code: 'ERR_MILLRACE_OPTION', option: 'limits.maxEntry' })
