/**
 * `/pypi/PROJECT/json`: what PyPI had before the simple API spoke JSON.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isValidName, normalizeName } from '../../pypi/name.js'
import { sendPage, sendRedirect, sendText } from '../answers.js'
import { legacyJson } from '../documents/legacy-json.js'
import { filePath } from '../documents/page.js'
import { makePage, type PackageIndex } from '../package-index.js'
import { inRepository, READ } from './repository.js'
import { noProject } from './simple.js'

type Params = { Params: { repository?: string; project: string } }

export function legacyRoutes(server: FastifyInstance, index: PackageIndex): void {
  server.route<Params>({
    ...READ,
    url: '/pypi/:project/json',
    config: { kind: 'legacy' },
    handler: inRepository(index, async (request, reply, repository) => {
      const { project: asked } = request.params
      if (!isValidName(asked)) return sendText(reply, 404, 'That is no name of a project')
      const name = normalizeName(asked)
      if (name !== asked) return sendRedirect(reply, `../${name}/json`)
      const project = await index.project(repository, name)
      const content = project && (await index.projectPage(repository, project))
      if (content === undefined) return noProject(reply, repository, name)
      const root = rootUrl(request)
      const text = legacyJson(content, pkg => `${root}${filePath(pkg)}`)
      return sendPage(
        request,
        reply,
        makePage(text, content.serial, repository.modifiedAt),
        'application/json'
      )
    })
  })
}

/** The root of the repository as the client sees it: readers of this document expect absolute URLs. */
function rootUrl(request: FastifyRequest<Params>): string {
  const { repository } = request.params
  const below = repository === undefined ? '' : `${encodeURIComponent(repository)}/`
  return `${request.protocol}://${request.host}/${below}`
}
