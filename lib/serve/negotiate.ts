/**
 * Which of its formats the simple API answers in.
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/#version-format-selection
 */
import type { FastifyRequest } from 'fastify'

export type Format = 'json' | 'html'

/** What is offered, the format that counts among equals first; `latest` is answered with what it is today. */
const OFFERED: Readonly<Record<string, readonly [Format, contentType: string]>> = {
  'text/html': ['html', 'text/html; charset=utf-8'],
  'application/vnd.pypi.simple.v1+json': ['json', 'application/vnd.pypi.simple.v1+json'],
  'application/vnd.pypi.simple.latest+json': ['json', 'application/vnd.pypi.simple.v1+json'],
  'application/vnd.pypi.simple.v1+html': ['html', 'application/vnd.pypi.simple.v1+html; charset=utf-8'],
  'application/vnd.pypi.simple.latest+html': ['html', 'application/vnd.pypi.simple.v1+html; charset=utf-8'],
  'application/json': ['json', 'application/json']
}
const TYPES = Object.keys(OFFERED)

/** The format that the client likes best, and how the answer is labelled; `undefined` where it takes none (406). */
export function negotiate(request: FastifyRequest): readonly [Format, contentType: string] | undefined {
  const type = request.type(TYPES)
  return typeof type === 'string' ? OFFERED[type] : undefined
}

/** What there is to choose from, for the text of a 406. */
export const OFFERED_TYPES = TYPES.filter(type => !type.includes('latest')).join(', ')
