import { posix } from 'node:path'
import type { Repository, Rule } from './rules.ts'

/** Files that programs make: documents name them, and the repository does not have them. */
const made = /^(\.env|\.data|dist|coverage|node_modules)(\/|$)/
const fileName = /[\w-]\.(ts|md|sql|sh|json|ya?ml|env|html|svg|png)$/
/** Blocks in these languages show code, whose strings are not our paths. */
const programs = ['ts', 'js', 'json', 'sql', 'yaml', 'http']

/** Every file or folder that a document links to, or names in code, is there. */
export const pathsExist: Rule = (repository) =>
  documents(repository).flatMap(([path, text]) => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
    const broken = links.filter(
      (link) => !/^[a-z]+:/.test(link) && !has(repository, posix.join(posix.dirname(path), link)),
    )
    const named = codeOf(text).flatMap((line) =>
      line.split(/[\s`'",;|()[\]]+/).filter((word) => isPath(repository, word)),
    )
    const missing = named.filter((word) => !names(repository, posix.dirname(path), word))
    return [...broken, ...missing].map((name) => `${path}: there is no ${name}`)
  })

/** Every npm script and make target that a document tells people to run is there. */
export const commandsExist: Rule = (repository) => {
  const { scripts = {} } = JSON.parse(repository.get('package.json') ?? '{}') as { scripts?: Record<string, string> }
  const targets = [...(repository.get('Makefile') ?? '').matchAll(/^([a-z0-9-]+):/gm)].map(([, target = '']) => target)
  return documents(repository).flatMap(([path, text]) => {
    const lines = codeOf(text).join('\n')
    const run = [...lines.matchAll(/\bnpm (?:run (?:--silent )?([a-z][\w:-]*)|(start|test)\b)/g)]
      .map(([, script, short]) => script ?? short ?? '')
      .filter((script) => !(script in scripts))
    const make = [...lines.matchAll(/^make ([a-z0-9-]+)/gm)]
      .map(([, target = '']) => target)
      .filter((target) => !targets.includes(target))
    return [...run.map((name) => `npm run ${name}`), ...make.map((name) => `make ${name}`)].map(
      (command) => `${path}: there is no \`${command}\``,
    )
  })
}

/** The code spans and the lines of the code blocks of a document, but not of programs. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)]
  const lines = blocks.flatMap(([, language = '', body = '']) => (programs.includes(language) ? [] : body.split('\n')))
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
  return [...lines, ...[...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)]
}

/** `outbox/claim.ts`, `deploy/`, `config.ts`; but not `/products`, `application/json`, `a/<name>`, `*.ts`. */
function isPath(repository: Repository, word: string): boolean {
  if (!/^(\.\/)?[\w.@-]+(\/[\w.@-]*)*$/.test(word) || made.test(word)) return false
  if (fileName.test(word)) return true
  const [first = '', ...rest] = word.replace(/^\.\//, '').split('/')
  return rest.length > 0 && (rest.join('') === '' || has(repository, first))
}

/** From the document's folder or from the root; a bare file name may be that of any file. */
function names(repository: Repository, folder: string, word: string): boolean {
  if (has(repository, posix.join(folder, word)) || has(repository, posix.normalize(word))) return true
  return !word.includes('/') && [...repository.keys()].some((path) => path.endsWith(`/${word}`))
}

function has(repository: Repository, path: string): boolean {
  const clean = path.replace(/\/$/, '')
  return clean === '.' || repository.has(clean) || [...repository.keys()].some((file) => file.startsWith(`${clean}/`))
}

function documents(repository: Repository): [string, string][] {
  return [...repository].filter(([path]) => path.endsWith('.md'))
}
