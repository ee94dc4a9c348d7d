/**
 * The pages for people. Every page can be read without scripts, none asks anything of another server, and nothing that
 * strangers wrote is markup in them.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BrowseReader, ChangePlace } from '../../catalog/browse-reader.js'
import type { IndexedRepository } from '../../catalog/index-reader.js'
import { isValidName, normalizeName } from '../../pypi/name.js'
import { sendRedirect } from '../answers.js'
import type { PackageIndex } from '../package-index.js'
import { READ } from '../routes/repository.js'
import { ASSETS, type Asset } from './assets.js'
import { homePage } from './home.js'
import { html } from './html.js'
import { layout } from './layout.js'
import { BASE, Links } from './links.js'
import { projectPage } from './project.js'
import { projectsPage } from './projects.js'
import { repositoryPage } from './repository.js'
import { runPage } from './run.js'
import { runsPage } from './runs.js'
import { versionPage } from './version.js'

/** Of each list, so many a page. */
const ENTRIES = 50
const CHANGES = 200
const PROJECTS = 60

/** Nothing but what this server gives, and no markup that runs. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join('; ')

type Request = FastifyRequest<{
  Params: { repository: string; number: string; project: string }
  Querystring: Readonly<Record<string, unknown>>
}>

/** What a page needs to know; `page` is the text of it, `undefined` where there is no such thing. */
type Handler = (asked: {
  readonly request: Request
  readonly links: Links
  readonly repository: IndexedRepository
  /** The repository's name, with its version where the URL names one. */
  readonly asked: string
}) => Promise<string | undefined>

/** `queueBoard` says whether there is one to link to. */
export function pageRoutes(
  server: FastifyInstance,
  index: PackageIndex,
  browse: BrowseReader,
  queueBoard: boolean
): void {
  const config = { kind: 'page' as const }

  for (const asset of Object.values(ASSETS)) {
    server.route({
      ...READ,
      url: `/-/assets/${asset.url}`,
      config,
      handler: (_, reply) => sendAsset(reply, asset)
    })
  }

  server.route({
    ...READ,
    config,
    url: '/',
    handler: async (request: Request, reply) => {
      const repositories = await browse.repositories(word(request, 'after'), ENTRIES)
      const there = await index.repository()
      return sendPage(reply, homePage(linksOf(request), there?.name, repositories, queueBoard))
    }
  })

  server.route({
    ...READ,
    config,
    url: `${BASE}/:repository`,
    handler: (request: Request, reply) =>
      sendRedirect(reply, `${encodeURIComponent(request.params.repository)}/`)
  })

  const route = (path: string, handler: Handler) => {
    server.route({
      ...READ,
      config,
      url: `${BASE}/:repository/${path}`,
      handler: async (request: Request, reply) => {
        const { repository: asked } = request.params
        const links = linksOf(request)
        const repository = await index.repository(asked)
        const page = repository && (await handler({ request, links, repository, asked }))
        return page === undefined ? sendPage(reply.code(404), notFound(links)) : sendPage(reply, page)
      }
    })
  }

  route('', async ({ request, links, repository }) => {
    const versions = await browse.versions(repository.id, number(request.query.before), ENTRIES)
    const url = `${request.protocol}://${request.host}/${encodeURIComponent(repository.name)}/simple/`
    return repositoryPage(links, repository, url, versions)
  })

  route('versions/:number', async ({ request, links, repository }) => {
    const place = await browse.version(repository.id, number(request.params.number) ?? 0)
    if (place === undefined) return undefined
    const changes = await browse.changes(repository.id, place, changePlace(word(request, 'after')), CHANGES)
    return versionPage(links, repository, place, changes)
  })

  route('projects', async ({ request, links, repository, asked }) => {
    const query = word(request, 'q').trim()
    const { id, version, name } = repository
    const prefix = normalizeName(query)
    // No name has other characters, so that none begins with them.
    const projects = /^[a-z0-9-]*$/.test(prefix)
      ? await browse.projects(id, version, prefix, word(request, 'after'), PROJECTS)
      : { items: [], next: undefined }
    return projectsPage(links, { asked, name }, query, projects)
  })

  route('projects/:project', async ({ request, links, repository, asked }) => {
    const project = isValidName(request.params.project)
      ? await index.project(repository, normalizeName(request.params.project))
      : undefined
    const page = project && (await index.projectPage(repository, project))
    return page && projectPage(links, { asked, name: repository.name }, page, number(request.query.part) ?? 0)
  })

  route('runs', async ({ request, links, repository }) => {
    const runs = await browse.runs(repository.id, number(request.query.before), ENTRIES)
    return runsPage(links, repository.name, runs)
  })

  route('runs/:number', async ({ request, links, repository }) => {
    const run = await browse.run(repository.id, number(request.params.number) ?? 0)
    if (run === undefined) return undefined
    const progress = run.state === 'running' ? await browse.progress(repository.id) : undefined
    const failures = await browse.failures(run.id, number(request.query.after) ?? 0, ENTRIES)
    return runPage(links, repository.name, run, progress, failures, Date.now())
  })
}

function linksOf({ url }: FastifyRequest): Links {
  return new Links(url.split('?', 1)[0] as string)
}

/** A word of the query; what is not there once is empty. */
function word({ query }: Request, name: string): string {
  const value = query[name]
  return typeof value === 'string' ? value : ''
}

/** A whole number; `undefined` where it is none. */
function number(text: unknown): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function changePlace(text: string): ChangePlace | undefined {
  const [, kind, id] = /^(added|removed)-(\d{1,15})$/.exec(text) ?? []
  return kind === undefined ? undefined : { kind: kind as ChangePlace['kind'], id: Number(id) }
}

function notFound(links: Links): string {
  const content = html`<h1>There is no such page</h1><p class="lead">Perhaps the repository has changed. <a href="${links.home}">Begin at the first page.</a></p>`
  return layout({ links, content, title: 'Not found' })
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  reply.headers({
    'content-security-policy': POLICY,
    'referrer-policy': 'same-origin',
    'cache-control': 'no-cache'
  })
  return reply.type('text/html; charset=utf-8').send(page)
}

function sendAsset(reply: FastifyReply, { type, text }: Asset): FastifyReply {
  return reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(text)
}
