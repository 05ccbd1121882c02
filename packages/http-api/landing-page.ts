import type { FastifyInstance } from 'fastify'
import { escapeHtml } from './docs-page.ts'

export interface LandingPage {
  title: string
  description: string
  /** Names, paths and their contents. */
  links: { name: string; path: string; text: string }[]
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
/** The port of the console unless it is told otherwise; its host is that of the page. */
const CONSOLE_PORT = 8084

const STYLE = `
:root { color-scheme: light dark }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 38rem; margin: 14vh auto; padding: 0 1.2rem; color: #14171c; background: #fff }
h1 { font-size: 1.5rem; letter-spacing: -.02em; margin-bottom: .2rem } p { color: #596170; margin-top: 0 }
ul { list-style: none; padding: 0; border-top: 1px solid #e1e4e8 } li { border-bottom: 1px solid #e1e4e8 }
a { display: flex; gap: 1rem; justify-content: space-between; padding: .8rem .2rem; color: #1f57d6; text-decoration: none; font-weight: 600 }
a:hover { background: #f3f4f6 } a span { color: #596170; font-weight: 400; text-align: right }
@media (prefers-color-scheme: dark) { body { color: #e8edf3; background: #0a0d12 } p, a span { color: #98a4b3 } a { color: #79aefc }
  ul, li { border-color: #232c37 } a:hover { background: #11161d } }`

/** `GET /`: a page for browsers, links in JSON for other clients. Needs no token. */
export function addLandingPage(app: FastifyInstance, { title, description, links }: LandingPage): void {
  const json = { service: title, description, links: Object.fromEntries(links.map(({ name, path }) => [name, path])) }
  app.get('/', { schema: { hide: true }, config: { open: true } }, ({ headers, hostname }, reply) => {
    void reply.header('vary', 'accept')
    if (!headers.accept?.includes('text/html')) return reply.send(json)
    const items = [
      { path: `http://${hostname}:${CONSOLE_PORT}/`, name: 'Console', text: 'watch events travel, find one' },
      ...links,
    ].map(
      ({ path, name, text: about }) =>
        `<li><a href="${escapeHtml(path)}">${escapeHtml(name)}<span>${escapeHtml(about)}</span></a></li>`,
    )
    return reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<main><h1>${escapeHtml(title)}</h1><p>${escapeHtml(description)}</p><ul>${items.join('\n')}</ul></main>
</body></html>
`)
  })
}
