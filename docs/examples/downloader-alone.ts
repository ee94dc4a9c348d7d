// The downloader against a JSON API that has nothing to do with Python: 8 requests in flight, retried when they fail.
import { pipeline } from 'node:stream/promises'
import { type Downloaded, Downloader } from 'millrace'

const [api = 'https://api.example.com'] = process.argv.slice(2)
const users = Array.from({ length: 20 }, (_, index) => ({ id: index + 1, url: `${api}/users/${index + 1}` }))

type User = (typeof users)[number]

const downloader = new Downloader<User>({ concurrency: 8, maxRetries: 5 })
downloader.on('skip', (user, error) => console.log(`user ${user.id} is left out: ${error.code}`))

await pipeline(users, downloader, async (downloads: AsyncIterable<Downloaded<User>>) => {
  for await (const { item, body } of downloads) {
    const user = JSON.parse((await body.buffer()).toString())
    console.log(`user ${item.id} is ${user.name}`)
  }
})
