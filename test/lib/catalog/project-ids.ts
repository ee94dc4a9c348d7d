import t from 'tap'
import { Database } from '../../../lib/catalog/database.js'
import { ProjectIds } from '../../../lib/catalog/project-ids.js'
import { newLocation } from '../../helpers/database.js'

t.test('finds, makes and remembers ids', async t => {
  const database = await Database.open(await newLocation(t, t.testdir()), true)
  t.teardown(() => database.close())
  await database.use(connection =>
    connection.run("INSERT INTO repositories (id, name, created_at) VALUES (1, 'x', ''), (2, 'y', '')")
  )
  const names = ['a', 'b', 'a'].map(project => ({ project, name: project.toUpperCase() }))
  const ids = new ProjectIds(1)
  t.equal(ids.recall(names), undefined)
  t.equal(ids.recall([])?.size, 0)
  t.equal((await database.use(connection => ids.find(connection, names, false))).size, 0, 'none is made')
  const made = await database.transaction(connection => ids.find(connection, names, true))
  t.strictSame([...made.keys()].sort(), ['a', 'b'])
  t.match(made.get('a'), { fresh: true, id: Number })
  t.equal(ids.recall(names), undefined, 'nothing is remembered unasked: the transaction might fail')
  ids.remember(made)
  t.strictSame(ids.recall(names), made)
  t.strictSame(await database.use(connection => ids.find(connection, names, true)), made)

  const later = new ProjectIds(1)
  const found = await database.use(connection => later.find(connection, names, true))
  t.match(found.get('a'), { id: made.get('a')?.id, fresh: false })

  const elsewhere = await database.transaction(connection => new ProjectIds(2).find(connection, names, true))
  t.not(elsewhere.get('a')?.id, made.get('a')?.id, 'another repository has its own')
  t.strictSame(
    await database.use(connection =>
      connection.all('SELECT name, url FROM projects WHERE repository_id = 1')
    ),
    [
      { name: 'A', url: null },
      { name: 'B', url: null }
    ]
  )
})
