import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

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
/** The libraries of the page, by the name under which its modules import them. A build has them in `main.js`. */
const LIBRARIES = ['preact', 'preact/hooks', '@preact/signals', '@preact/signals-core', 'htm']
const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * Reads the page. In a checkout its modules are sent one by one, without their types, and the browser finds the libraries
 * by an import map. `npm run build` makes one `main.js` of them.
 */
export async function readPage(): Promise<PageFiles> {
  const isBuilt = existsSync(join(folder, 'main.js'))
  const files = new Map<string, PageFile>()
  const names = (await readdir(folder)).filter((name) => extname(name) in TYPES)
  for (const name of names) {
    const source = await readFile(join(folder, name), 'utf8')
    const sent = name.endsWith('.ts') ? stripTypeScriptTypes(source) : source
    files.set(`page/${name}`, pageFile(sent, TYPES[extname(name)] ?? ''))
  }
  const libraries = isBuilt ? [] : LIBRARIES
  for (const name of libraries) {
    const source = await readFile(fileURLToPath(import.meta.resolve(name)), 'utf8')
    // Source maps would be asked for where there are none.
    files.set(vendorPath(name), pageFile(source.replaceAll(/^\/\/# sourceMappingURL=.*$/gm, ''), TYPES['.js'] ?? ''))
  }
  const imports = Object.fromEntries(libraries.map((name) => [name, `./${vendorPath(name)}`]))
  const importMap = isBuilt ? '' : JSON.stringify({ imports })
  const modules = [...files.keys()].filter((path) => /\.[jt]s$/.test(path))
  files.set(
    '',
    pageFile(html(isBuilt ? 'page/main.js' : 'page/main.ts', importMap, modules), 'text/html; charset=utf-8'),
  )
  const hash = importMap === '' ? '' : ` 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`
  const policy =
    `default-src 'none'; script-src 'self'${hash}; style-src 'self'; connect-src 'self'; img-src 'self'; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return { files, policy }
}

function vendorPath(name: string): string {
  return `page/libraries/${name.replaceAll(/[@/]+/g, '-').replace(/^-/, '')}.js`
}

function pageFile(text: string, type: string): PageFile {
  const body = Buffer.from(text)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 20)}"`
  return { type, body, gzip: gzipSync(body, { level: 9 }), etag }
}

function html(main: string, importMap: string, modules: readonly string[]): string {
  const preload = modules.filter((path) => path !== main).map((path) => `<link rel="modulepreload" href="./${path}">`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>product-events</title>
<link rel="icon" href="./page/icon.svg">
<link rel="stylesheet" href="./page/style.css">
${importMap === '' ? '' : `<script type="importmap">${importMap}</script>\n`}<script type="module" src="./${main}"></script>
${preload.join('\n')}
</head>
<body>
<div id="app"><header class="top"><a class="brand" href="#/path"><img src="./page/icon.svg" alt="" width="24" height="24">product-events</a></header><main><p class="quiet">One moment: the console asks PostgreSQL, SQS and the services.</p></main></div>
<noscript>The console needs JavaScript. In a terminal: npm run status, npm run find.</noscript>
</body>
</html>
`
}
