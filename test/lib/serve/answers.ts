import { fastify } from 'fastify'
import t from 'tap'
import { sendRedirect, sendUnchanged } from '../../../lib/serve/answers.js'

t.test('a client that has this state of a page is told so', async t => {
  const server = fastify()
  t.teardown(() => server.close())
  const page = { etag: 'W/"7"', lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT', serial: 7 }
  server.get('/', (request, reply) => (sendUnchanged(request, reply, page) ? reply : reply.send('page')))
  for (const [asked, status, body] of [
    ['W/"7"', 304, ''],
    ['W/"6"', 200, 'page']
  ] as const) {
    const answer = await server.inject({ url: '/', headers: { 'if-none-match': asked } })
    t.strictSame([answer.statusCode, answer.body], [status, body])
    t.match(answer.headers, {
      ...{ etag: page.etag, 'last-modified': page.lastModified, 'x-pypi-last-serial': 7 },
      ...{ 'cache-control': /no-cache/, vary: 'Accept, Accept-Encoding' }
    })
  }
})

t.test('a redirect says where to', async t => {
  const server = fastify()
  t.teardown(() => server.close())
  server.get('/', (_request, reply) => sendRedirect(reply, '../x/'))
  const { statusCode, headers, body } = await server.inject('/')
  t.strictSame([statusCode, headers.location, body], [301, '../x/', 'See ../x/\n'])
})
