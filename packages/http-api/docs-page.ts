import { curlOf } from './curl.ts'
import { examplesOf, type JsonSchema, type OpenApiDocument, type Operation, resolveAnswer } from './openapi-document.ts'

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h2 { margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem; font-size: 1.2rem }
h3 { font-size: 1rem; margin-bottom: .3rem } code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #f4f4f4; padding: .7rem; overflow-x: auto } table { border-collapse: collapse }
td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top } summary { cursor: pointer; padding: .2rem 0 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } pre { background: #2a2a2a } a { color: #8cf } }`

/**
 * The document as a page to read, with a command for each call at `baseUrl`. It needs no script, and nothing from
 * elsewhere.
 */
export function docsPage(document: OpenApiDocument, baseUrl: string): string {
  const { title, description = '' } = document.info
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  )
  const links = operations.map(
    ({ name, operation }) =>
      `<li><a href="#${id(name)}"><code>${escapeHtml(name)}</code></a> ${escapeHtml(operation.summary ?? '')}</li>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1><p>${escapeHtml(description)}</p>
<p>The same for programs: <a href="/openapi.json"><code>/openapi.json</code></a> (OpenAPI ${escapeHtml(document.openapi)}).</p>
<ul>${links.join('\n')}</ul>
${operations.map(({ name, operation }) => section(document, baseUrl, name, operation)).join('\n')}
</body></html>
`
}

function section(document: OpenApiDocument, baseUrl: string, name: string, operation: Operation): string {
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, media]) =>
      `<h3>Body: <code>${escapeHtml(type)}</code></h3>${fields(media.schema)}${examplesOf(media).map(json).join('')}`,
  )
  const answers = Object.entries(operation.responses).map(([status, reference]) => {
    const { description, headers = {}, content = {} } = resolveAnswer(document, reference)
    const examples = Object.values(content).flatMap((media) => examplesOf(media))
    const named = Object.keys(headers).map((header) => `<code>${escapeHtml(header)}</code>`)
    return `<details><summary><strong>${status}</strong> ${escapeHtml(description)}</summary>
${named.length > 0 ? `<p>Headers: ${named.join(', ')}</p>` : ''}${examples.map(json).join('')}</details>`
  })
  const scopes = operation.security?.flatMap((scheme) => Object.values(scheme).flat()) ?? []
  return `<h2 id="${id(name)}"><code>${escapeHtml(name)}</code></h2>
<p>${escapeHtml(operation.summary ?? '')}</p>${operation.description ? `<p>${escapeHtml(operation.description)}</p>` : ''}
${scopes.length > 0 ? `<p>Needs a bearer token with the scope <code>${escapeHtml(scopes.join(' '))}</code>.</p>` : ''}
<pre>${escapeHtml(curlOf(baseUrl, name, operation))}</pre>
${parameters(operation)}${bodies.join('')}<h3>Answers</h3>${answers.join('\n')}`
}

function parameters({ parameters = [] }: Operation): string {
  const rows = parameters.map((parameter) =>
    row(`${parameter.name} (${parameter.in})`, parameter.required === true, parameter.schema, parameter.description),
  )
  return rows.length > 0 ? `<h3>Parameters</h3><table>${rows.join('')}</table>` : ''
}

function fields({ properties, required = [] }: JsonSchema): string {
  const rows = Object.entries((properties ?? {}) as Record<string, JsonSchema>).map(([name, schema]) =>
    row(name, (required as string[]).includes(name), schema, schema.description as string | undefined),
  )
  return rows.length > 0 ? `<table>${rows.join('')}</table>` : ''
}

function row(name: string, required: boolean, schema: JsonSchema, description = ''): string {
  const shown = ['minimum', 'maximum', 'minLength', 'maxLength', 'multipleOf', 'default', 'format']
  const limits = shown.flatMap((keyword) => (keyword in schema ? [`${keyword} ${String(schema[keyword])}`] : []))
  const about = [
    JSON.stringify(schema.type ?? '').replaceAll(/["[\]]/g, ''),
    ...limits,
    ...(required ? ['required'] : []),
  ]
    .filter(Boolean)
    .join(', ')
  return `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(about)}</td><td>${escapeHtml(description)}</td></tr>`
}

function json(value: unknown): string {
  return `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`
}

function id(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z]+/g, '-')
}

export function escapeHtml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
