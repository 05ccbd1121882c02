import { posix } from 'node:path'

/** Every text file of the repository, by its path from the root. */
export type Repository = ReadonlyMap<string, string>
/** What breaks the rule, one line each: `path: what is wrong`. Empty when nothing does. */
export type Rule = (repository: Repository) => string[]

/** Longer files do more than one thing. */
const MAX_LINES = 250

/** Which of our own folders the code of a folder may import. Arrows point one way; a new folder gets its line here. */
const arrows: Record<string, readonly string[]> = {
  contracts: [],
  database: [],
  queue: [],
  telemetry: [],
  configuration: [],
  'http-api': ['configuration', 'telemetry'],
  // It knows no product and no HTTP: whatever runs on the same database and broker can use it.
  outbox: ['database', 'queue', 'telemetry'],
  'product-service': ['outbox', 'database', 'queue', 'http-api', 'configuration', 'telemetry', 'contracts'],
  'notification-service': ['outbox', 'database', 'queue', 'http-api', 'configuration', 'telemetry', 'contracts'],
  local: ['database', 'queue', 'configuration', 'telemetry'],
  // What the people who run the services type. It knows whose database is whose.
  operations: ['outbox', 'database', 'configuration'],
  deploy: [],
}
/** Folders that look at the whole from outside, and so may import anything by any path. */
const outside = ['e2e', 'bench']
const services = ['product-service', 'notification-service']

const forbiddenNames = /^(utils?|common|helpers?|misc|shared|lib)$/
/** What tests need stands beside them, under a name that says so. */
const testSupport = /^testing(-[\w-]+)?\.ts$|-for-tests\.ts$/
// Written so that this file does not break its own rules.
const unfinished = /\b(?:TO[D]O|FIXM[E])\b/
const notRun = /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|todo)\b/

export const oneWayArrows: Rule = (repository) =>
  code(repository).flatMap(([path, source]) => {
    const folder = folderOf(path)
    if (folder === '' || outside.includes(folder)) return []
    const allowed = arrows[folder]
    if (!allowed) return [`${path}: tidy.ts does not say what ${folder}/ may import`]
    return importsOf(source).flatMap((specifier) => {
      const target = ownFolderOf(path, specifier)
      if (target === undefined || target === folder || allowed.includes(target)) return []
      if (!isTest(path)) return [`${path}: ${folder} must not import ${target}`]
      const otherService = services.includes(target) && services.includes(folder)
      return otherService ? [`${path}: the services never import each other, in tests neither`] : []
    })
  })

export const importsByName: Rule = (repository) =>
  code(repository).flatMap(([path, source]) => {
    const folder = folderOf(path)
    if (folder === '' || outside.includes(folder) || isTest(path)) return []
    return importsOf(source)
      .filter((specifier) => specifier.startsWith('.') && ownFolderOf(path, specifier) !== folder)
      .map((specifier) => `${path}: ${specifier} leaves the folder; import the workspace by its name`)
  })

export const testingStaysInTests: Rule = (repository) =>
  code(repository)
    .filter(([path]) => !isTest(path) && folderOf(path) !== 'local')
    .filter(([, source]) => importsOf(source).some((specifier) => testSupport.test(posix.basename(specifier))))
    .map(([path]) => `${path}: imports what is for tests`)

export const shortFiles: Rule = (repository) =>
  code(repository).flatMap(([path, source]) => {
    const lines = source.split('\n').length - 1
    return lines > MAX_LINES ? [`${path}: ${lines} lines, at most ${MAX_LINES}`] : []
  })

export const environmentOnlyInConfig: Rule = (repository) =>
  code(repository)
    .filter(([path]) => posix.basename(path) !== 'config.ts' && !isTest(path))
    .filter(([path]) => !['local', ...outside].includes(folderOf(path)))
    // A process may hand its environment to its config.ts, whole.
    .map(([path, source]) => [path, source.replaceAll(/\bread\w*Config\(process\.env\)/g, '')] as const)
    .filter(([, source]) => /\bprocess\.env\b|\benv\b[^'\n]*from 'node:process'/.test(source))
    .map(([path]) => `${path}: reads the environment; only config.ts does`)

export const tellingNames: Rule = (repository) =>
  [...repository.keys()].flatMap((path) => {
    const grabBag = path.split('/').find((part) => forbiddenNames.test(part.split('.')[0] ?? ''))
    return grabBag === undefined ? [] : [`${path}: "${grabBag}" says nothing about what is inside`]
  })

export const allTestsRun: Rule = (repository) =>
  code(repository).flatMap(([path, source]) => {
    const found = notRun.exec(source)
    return found ? [`${path}: ${found[0]}`] : []
  })

export const nothingUnfinished: Rule = (repository) =>
  [...repository].flatMap(([path, text]) => {
    const found = path === 'package-lock.json' ? null : unfinished.exec(text)
    return found ? [`${path}: ${found[0]}`] : []
  })

export const noRegistryAddress: Rule = (repository) =>
  [...(repository.get('package-lock.json') ?? '').matchAll(/"resolved": "(\w+:\/\/[^"]*)"/g)].map(
    ([, address]) => `package-lock.json: ${address}`,
  )

interface PackageJson {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

export const declaredImports: Rule = (repository) => {
  const namesIn = (path: string) => Object.keys(allDependencies(packageJson(repository, path)))
  const everything = [...repository.keys()].filter((path) => posix.basename(path) === 'package.json').flatMap(namesIn)
  return code(repository).flatMap(([path, source]) => {
    const own = `${folderOf(path)}/package.json`
    // What is no workspace (e2e, bench, deploy) uses what the workspaces brought; tests use the tools of the root.
    const tools = isTest(path) || folderOf(path) === 'local' ? namesIn('package.json') : []
    const declared = repository.has(own) ? [...namesIn(own), ...tools] : everything
    return importsOf(source)
      .filter((specifier) => !/^(\.|node:)/.test(specifier))
      .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
      .filter((name) => !(name in arrows) && !declared.includes(name))
      .map((name) => `${path}: imports ${name}, which its package.json does not declare`)
  })
}

export const exactVersions: Rule = (repository) =>
  [...repository.keys()]
    .filter((path) => posix.basename(path) === 'package.json')
    .flatMap((path) =>
      Object.entries(allDependencies(packageJson(repository, path)))
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${path}: ${name} is "${version}", not one exact version`),
    )

/** The specifiers of every static and dynamic import and re-export in `source`. */
export function importsOf(source: string): string[] {
  // An import clause holds no quote, parenthesis, equals sign or semicolon: so a match can't run on into other code.
  const patterns = [/^(?:import|export)\b[^'"`;=()]*?\bfrom '([^']+)'/gm, /^import '([^']+)'/gm, /\bimport\('([^']+)'/g]
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, specifier = '']) => specifier))
}

/** Which folder of ours an import leads to; undefined when it is a package of somebody else. */
function ownFolderOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return folderOf(posix.join(posix.dirname(path), specifier))
  const name = specifier.split('/')[0] ?? ''
  return name in arrows ? name : undefined
}

function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : ''
}

/** Tests, and what only tests import. */
function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || testSupport.test(posix.basename(path)) || outside.includes(folderOf(path))
}

function code(repository: Repository): [string, string][] {
  return [...repository].filter(([path]) => path.endsWith('.ts'))
}

function packageJson(repository: Repository, path: string): PackageJson {
  return JSON.parse(repository.get(path) ?? '{}') as PackageJson
}

function allDependencies(json: PackageJson): Record<string, string> {
  return { ...json.dependencies, ...json.optionalDependencies, ...json.devDependencies }
}
