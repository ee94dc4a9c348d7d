/** Runs test files once more, on PostgreSQL: on the server of `DATABASE_URL`, or on one that is started for them. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { dropTemplate, makeTemplate } from './database.js'
import { startPostgres } from './postgres-server.js'

/** Files by their path under `test/`, without their ending. */
export async function runOnPostgres(files: readonly string[]): Promise<void> {
  const given = process.env.DATABASE_URL
  const server = given === undefined ? await startPostgres() : undefined
  const template = await makeTemplate(given ?? (server?.url as string))
  t.teardown(async () => {
    if (server === undefined) await dropTemplate(template)
    await server?.stop()
  })
  t.jobs = 2
  const env = { ...process.env, MILLRACE_TEST_POSTGRES: template }
  for (const file of files) {
    const path = fileURLToPath(new URL(`../${file}${import.meta.url.slice(-3)}`, import.meta.url))
    t.spawn(process.execPath, [...process.execArgv, path], { env }, file)
  }
}
