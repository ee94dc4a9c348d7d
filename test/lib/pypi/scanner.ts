import t from 'tap'
import { Scanner } from '../../../lib/pypi/scanner.js'

t.test('walks, and says where it stopped', async t => {
  const scanner = new Scanner('ab \t12', 'FILE:3')
  t.equal(scanner.take(/\d/y), undefined)
  t.equal(scanner.expect(/[a-z]+/y, 'letters'), 'ab')
  t.equal(scanner.space(), ' \t')
  t.throws(() => scanner.expect(/[a-z]/y, 'a letter'), {
    code: 'ERR_MILLRACE_REQUIREMENT',
    position: 4,
    where: 'FILE:3',
    why: 'expected a letter, at character 5'
  })
  t.notOk(scanner.atEnd)
  t.equal(scanner.take(/\d+/y), '12')
  t.ok(scanner.atEnd)
  t.match(scanner.error('no', 0), { position: 0 })
})
