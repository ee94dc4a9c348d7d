/**
 * The documents of an index, in all three formats, as chunks of text: one of any length needs little memory.
 *
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/
 * @see https://docs.pypi.org/api/json/
 */
import type { IndexFile, IndexProject, IndexSource } from './source.js'
import { normalise } from './source.js'

/** Media type by format. `legacy` is `/pypi/NAME/json`. */
export const mediaTypes = {
  json: 'application/vnd.pypi.simple.v1+json',
  html: 'text/html; charset=UTF-8',
  legacy: 'application/json'
} as const

export type Format = keyof typeof mediaTypes

/** The document of one project. `base` goes before the paths of its files. */
export function projectDocument(project: IndexProject, format: Format, base: string): Iterable<string> {
  const recorded = format === 'html' ? undefined : project.recorded?.[format]
  // The recorded documents name PyPI's own hosts; what they list is served from here.
  if (recorded !== undefined) return [recorded.replace(recordedHosts, `${base}/files/packages/`)]
  if (format === 'json') return json(project, base)
  return format === 'html' ? html(project, base) : legacy(project, base)
}

const recordedHosts = /https?:\/\/(?:files\.pythonhosted\.org|pypi\.python\.org|pypi\.org)\/packages\//g

/** The list of all projects; one that the legacy format does not have. */
export function* listingDocument(source: IndexSource, format: 'json' | 'html'): Iterable<string> {
  if (format === 'json') {
    yield `{"meta":{"_last-serial":${source.lastSerial},"api-version":"1.4"},"projects":[`
    let comma = ''
    for (const { name, serial } of source.listing()) {
      yield `${comma}{"_last-serial":${serial},"name":${JSON.stringify(name)}}`
      comma = ','
    }
    yield ']}'
    return
  }
  yield '<!DOCTYPE html>\n<html>\n  <head>\n    <meta name="pypi:repository-version" content="1.4">\n    <title>Simple index</title>\n  </head>\n  <body>\n'
  for (const { name } of source.listing()) {
    yield `    <a href="/simple/${encodeURIComponent(normalise(name))}/">${escapeHtml(name)}</a>\n`
  }
  yield `</body>\n</html>\n<!--SERIAL ${source.lastSerial}-->`
}

function* json(project: IndexProject, base: string): Iterable<string> {
  yield '{"alternate-locations":[],"files":['
  let comma = ''
  for (const file of project.files) {
    yield comma + jsonFile(file, base)
    comma = ','
  }
  const reason = project.statusReason === undefined ? '' : `"reason":${JSON.stringify(project.statusReason)},`
  yield `],"meta":{"_last-serial":${project.serial},"api-version":"1.4"},"name":${JSON.stringify(normalise(project.name))},` +
    `"project-status":{${reason}"status":"${project.status ?? 'active'}"},"versions":[`
  comma = ''
  for (const version of project.versions) {
    yield comma + JSON.stringify(version)
    comma = ','
  }
  yield ']}'
}

function jsonFile(file: IndexFile, base: string): string {
  const core = typeof file.coreMetadata === 'boolean' ? String(file.coreMetadata) : digests(file.coreMetadata)
  return (
    `{"core-metadata":${core},"data-dist-info-metadata":${core},"filename":${JSON.stringify(file.filename)},` +
    `"hashes":${digests(file.hashes)},"provenance":${orNull(file.provenance)},` +
    `"requires-python":${orNull(file.requiresPython)},` +
    (file.size === undefined ? '' : `"size":${file.size},`) +
    (file.uploadTime === undefined ? '' : `"upload-time":"${file.uploadTime}",`) +
    `"url":${JSON.stringify(address(file, base))},"yanked":${file.yanked === false ? 'false' : file.yanked === '' || JSON.stringify(file.yanked)}}`
  )
}

/** By hand: twice as fast as `JSON.stringify`, and most of the work of a page. */
function digests(digests: Readonly<Record<string, string>>): string {
  let text = '{'
  for (const algorithm in digests) text += `${text === '{' ? '' : ','}"${algorithm}":"${digests[algorithm]}"`
  return `${text}}`
}

function* html(project: IndexProject, base: string): Iterable<string> {
  const title = escapeHtml(normalise(project.name))
  yield `<!DOCTYPE html>\n<html>\n  <head>\n    <meta name="pypi:repository-version" content="1.4">\n    <meta name="pypi:project-status" content="${escapeHtml(project.status ?? 'active')}">\n`
  if (project.statusReason !== undefined) {
    yield `    <meta name="pypi:project-status-reason" content="${escapeHtml(project.statusReason)}">\n`
  }
  yield `    <title>Links for ${title}</title>\n  </head>\n  <body>\n    <h1>Links for ${title}</h1>\n`
  for (const file of project.files) {
    const [algorithm] = Object.keys(file.hashes)
    const fragment = algorithm === undefined ? '' : `#${algorithm}=${file.hashes[algorithm]}`
    const core = typeof file.coreMetadata === 'object' ? pair(file.coreMetadata) : 'true'
    yield `<a href="${escapeHtml(address(file, base) + fragment)}"` +
      (file.requiresPython === undefined
        ? ''
        : ` data-requires-python="${escapeHtml(file.requiresPython)}"`) +
      (file.coreMetadata === false ? '' : ` data-dist-info-metadata="${core}" data-core-metadata="${core}"`) +
      (file.provenance === undefined ? '' : ` data-provenance="${escapeHtml(file.provenance)}"`) +
      (file.yanked === false ? '' : ` data-yanked="${escapeHtml(file.yanked)}"`) +
      ` >${escapeHtml(file.filename)}</a><br />\n`
  }
  yield `</body>\n</html>\n<!--SERIAL ${project.serial}-->`
}

/** Files of one version must follow each other in `files`. */
function* legacy(project: IndexProject, base: string): Iterable<string> {
  let newest = '0'
  for (const version of project.versions) newest = version
  const name = JSON.stringify(project.name)
  yield `{"info":{"author":"","author_email":"","classifiers":[],"description":"${'A made-up description. '.repeat(40)}",` +
    `"license":"MIT","name":${name},"package_url":"${base}/project/${normalise(project.name)}/","project_urls":null,` +
    `"requires_dist":null,"requires_python":null,"summary":"Made up","version":${JSON.stringify(newest)},"yanked":false,` +
    `"yanked_reason":null},"last_serial":${project.serial},"releases":{`
  let open: string | undefined
  let last: string[] = []
  for (const file of project.files) {
    const text = legacyFile(file, base)
    if (file.version === open) {
      yield `,${text}`
    } else {
      yield `${open === undefined ? '' : '],'}${JSON.stringify(file.version)}:[${text}`
      open = file.version
      last = []
    }
    last.push(text)
  }
  yield `${open === undefined ? '' : ']'}},"urls":[${last.join(',')}],"vulnerabilities":[]}`
}

function legacyFile(file: IndexFile, base: string): string {
  const uploaded = file.uploadTime === undefined ? null : file.uploadTime.slice(0, 19)
  return (
    `{"comment_text":"","digests":${JSON.stringify(file.hashes)},"downloads":-1,"filename":${JSON.stringify(file.filename)},` +
    `"has_sig":false,"md5_digest":${orNull(file.hashes.md5)},"packagetype":"${file.packageType}",` +
    `"python_version":"${file.packageType === 'sdist' ? 'source' : 'py3'}","requires_python":${orNull(file.requiresPython)},` +
    `"size":${file.size ?? null},"upload_time":${JSON.stringify(uploaded)},"upload_time_iso_8601":${orNull(file.uploadTime)},` +
    `"url":${JSON.stringify(address(file, base))},"yanked":${file.yanked !== false},` +
    `"yanked_reason":${file.yanked ? JSON.stringify(file.yanked) : 'null'}}`
  )
}

function address(file: IndexFile, base: string): string {
  return file.path.startsWith('/') ? base + file.path : file.path
}

function pair(digests: Readonly<Record<string, string>>): string {
  const [algorithm = 'sha256'] = Object.keys(digests)
  return `${algorithm}=${digests[algorithm]}`
}

function orNull(text: string | undefined): string {
  return text === undefined ? 'null' : JSON.stringify(text)
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, found => `&#${found.charCodeAt(0)};`)
}
