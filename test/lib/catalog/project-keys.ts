import t from 'tap'
import { ProjectKeys } from '../../../lib/catalog/project-keys.js'

t.test('what was had under more than is asked for counts', async t => {
  const keyOf = (project: string) => `key of ${project}`
  const all = [false, true].flatMap(mirror => [false, true].map(files => ({ mirror, files })))
  for (const asked of all) {
    const keys = new ProjectKeys({ keyOf, ...asked })
    t.equal(keys.of('a'), 'key of a')
    for (const had of all) {
      const written = new ProjectKeys({ keyOf, ...had }).written('a')
      const counts = keys.accepted.some(more => `key of a${more}` === written)
      t.equal(counts, had.mirror >= asked.mirror && had.files >= asked.files)
    }
  }
})
