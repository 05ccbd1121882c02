import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type * as pageBundle from './page-bundle.ts'

type PageBundle = typeof pageBundle

/** A file of the page, as it is sent. */
export interface PageFile {
  type: string
  body: Buffer
  gzip: Buffer
  etag: string
}

export interface PageFiles {
  /** By path below the console's address; '' is the page itself. */
  files: Map<string, PageFile>
  /** The Content-Security-Policy of the page. */
  policy: string
}

const folder = join(import.meta.dirname, 'page')

/** Reads the page: one file with its style, one script and an icon. */
export async function readPage(): Promise<PageFiles> {
  const [script, style, icon] = await Promise.all([
    readScript(),
    readFile(join(folder, 'style.css'), 'utf8'),
    readFile(join(folder, 'icon.svg'), 'utf8'),
  ])
  // Indentation is for people.
  const sentStyle = style.replaceAll(/\n\s*/g, '\n')
  const files = new Map([
    ['', pageFile(html(sentStyle), 'text/html; charset=utf-8')],
    ['page/main.js', pageFile(script, 'text/javascript; charset=utf-8')],
    ['page/icon.svg', pageFile(icon, 'image/svg+xml')],
  ])
  const policy =
    `default-src 'none'; script-src 'self' ${hashSource(FIRST_REQUESTS)}; style-src ${hashSource(sentStyle)}; ` +
    `connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return { files, policy }
}

/**
 * `npm run build` has made it. In a checkout the console makes it at its start, in the time that stripping the types
 * takes.
 */
async function readScript(): Promise<string> {
  const built = join(folder, 'main.js')
  if (existsSync(built)) return readFile(built, 'utf8')
  // By a name that is computed, so that the bundler does not become part of `dist/console.js`.
  const module = new URL('page-bundle.ts', import.meta.url).href
  const { bundlePage } = (await import(module)) as PageBundle
  return (await bundlePage(join(folder, 'main.ts'))).script
}

/** Allows one inline script or style in a Content-Security-Policy. */
function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

function pageFile(text: string, type: string): PageFile {
  const body = Buffer.from(text)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 20)}"`
  return { type, body, gzip: gzipSync(body, { level: 9 }), etag }
}

/**
 * Asks for the first snapshot before the page's modules are there; `state.ts` reads the answers. Without it the data
 * comes one round later. Nothing is asked for a tab that opens in the background.
 */
const FIRST_REQUESTS = `if (!document.hidden) {
  const stop = new AbortController()
  const ask = (path) => fetch('./api/' + path, { signal: stop.signal })
  globalThis.first = { stop, me: ask('me'), stream: ask('stream') }
  first.me.catch(() => {})
  first.stream.catch(() => {})
}`

/** With its style in it, the first paint needs no second request. */
function html(style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<script>${FIRST_REQUESTS}</script>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>product-events</title>
<style>${style}</style>
<link rel="icon" href="./page/icon.svg">
<script type="module" src="./page/main.js"></script>
</head>
<body>
<div id="app"><header class="top"><a class="brand" href="#/path"><img src="./page/icon.svg" alt="" width="24" height="24">product-events</a></header><main><p class="quiet">One moment: the console asks PostgreSQL, SQS and the services.</p></main></div>
<noscript>The console needs JavaScript. In a terminal: npm run status, npm run find.</noscript>
</body>
</html>
`
}
