/** Starts an index and waits to be killed. */
import { spawnIndexServer } from '../../benchmarks/index-server/spawn.js'

const { pid } = await spawnIndexServer({ projects: 1 })
process.stdout.write(`${pid}\n`)
setInterval(() => {}, 60_000)
