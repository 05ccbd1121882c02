import { posix } from 'node:path'

/** Every text file of the repository, by its path from the root. */
export type Repository = ReadonlyMap<string, string>
/** The breaches of the rule, one line each: `path: fault`. Empty without any. */
export type Rule = (repository: Repository) => string[]

/** Longer files do more than one thing. */
const MAX_LINES = 250
/** The width that the formatter gives code; it leaves comments as they are. */
const MAX_COLUMNS = 120

/** The workspaces that the code of a workspace may import. Arrows point one way; a new workspace gets its line here. */
const arrows: Record<string, readonly string[]> = {
  'packages/contracts': [],
  'packages/database': ['packages/outages'],
  // Group commit, for requests (product-service) and for messages (inbox). It knows no database.
  'packages/batcher': [],
  'packages/queue': [],
  'packages/telemetry': ['packages/outages', 'packages/terminal'],
  'packages/outages': [],
  'packages/terminal': [],
  // LISTEN and NOTIFY, for relays and for streams. Only its part for `pg` needs a driver.
  'packages/wake-ups': ['packages/outages'],
  'packages/process': ['packages/database', 'packages/outages', 'packages/queue', 'packages/telemetry'],
  'packages/http-api': ['packages/outages', 'packages/process', 'packages/telemetry'],
  // It knows no product and no HTTP: whatever runs on the same database and broker can use it.
  'packages/outbox': [
    'packages/outages',
    'packages/terminal',
    'packages/wake-ups',
    // Names, and steps of a schema: nothing that loads a driver by itself.
    'packages/database',
  ],
  // Installable, as the outbox is. The core needs no database driver, broker client or telemetry at run time.
  'packages/inbox': ['packages/outages', 'packages/terminal', 'packages/batcher', 'packages/database'],
  'services/product-service': ['packages/*'],
  'services/notification-service': ['packages/*'],
  local: ['packages/database', 'packages/queue', 'packages/process', 'packages/telemetry', 'packages/terminal'],
  // What the people who run the services type. It knows whose database is whose.
  operations: ['packages/*'],
  // It refers to the code by name only, so that a test can compare the names.
  model: ['packages/terminal'],
  // It prepares the image against a PostgreSQL and an SQS of `local`, and bundles the console's page as the console
  // does.
  deploy: ['packages/*', 'local', 'operations'],
  // Installed apart, so they import nothing of ours; their tests do.
  'deploy/aws': [],
  'deploy/kubernetes': [],
  // Programs as adopters write them: on what they install.
  examples: ['packages/outbox', 'packages/inbox'],
  tidy: [],
}
/** Folders that look at the whole from outside, and so may import anything by any path. */
const outside = ['e2e', 'bench']
/** The scope of our workspaces on npm. */
const SCOPE = '@product-events/'

const forbiddenNames = /^(utils?|common|helpers?|misc|shared|lib)$/
/** What tests need lies in a folder of that name beside them. */
const testSupport = /(^|\/)testing\/[^/]+\.ts$/
// Written so that this file does not break its own rules.
const unfinished = /\b(?:TO[D]O|FIXM[E])\b/
const notRun = /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|todo)\b/

export const oneWayArrows: Rule = (repository) =>
  code(repository).flatMap(([path, source]) => {
    const folder = folderOf(path)
    if (folder === '' || outside.includes(folder)) return []
    const allowed = arrows[folder]
    if (!allowed) return [`${path}: tidy/rules.ts does not say what ${folder}/ may import`]
    return importsOf(source).flatMap((specifier) => {
      const target = ownFolderOf(path, specifier)
      if (target === undefined || target === folder || allowed.some((name) => posix.matchesGlob(target, name)))
        return []
      if (!isTest(path)) return [`${path}: ${folder} must not import ${target}`]
      const otherService = target.startsWith('services/') && folder.startsWith('services/')
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
    .filter(([, source]) => importsOf(source).some((specifier) => testSupport.test(specifier)))
    .map(([path]) => `${path}: imports what is for tests`)

export const shortFiles: Rule = (repository) =>
  code(repository).flatMap(([path, source]) => {
    const lines = source.split('\n').length - 1
    return lines > MAX_LINES ? [`${path}: ${lines} lines, at most ${MAX_LINES}`] : []
  })

/** Comments that stand on lines of their own. SQL is left out: a step of a schema that was released never changes. */
export const narrowComments: Rule = (repository) =>
  [...repository]
    .filter(([path]) => /\.[cm]?[jt]s$/.test(path))
    .flatMap(([path, source]) =>
      source.split('\n').flatMap((line, index) => {
        const isWide = line.length > MAX_COLUMNS && /^\s*(\/\/|\/?\*)/.test(line)
        return isWide ? [`${path}:${index + 1}: ${line.length} columns, at most ${MAX_COLUMNS}`] : []
      }),
    )

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
    const found = posix.basename(path) === 'package-lock.json' ? null : unfinished.exec(text)
    return found ? [`${path}: ${found[0]}`] : []
  })

export const noRegistryAddress: Rule = (repository) =>
  [...repository]
    .filter(([path]) => posix.basename(path) === 'package-lock.json')
    .flatMap(([path, lock]) =>
      [...lock.matchAll(/"resolved": "(\w+:\/\/[^"]*)"/g)].map(([, address]) => `${path}: ${address}`),
    )

interface PackageJson {
  name?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

export const declaredImports: Rule = (repository) => {
  const namesIn = (path: string) => Object.keys(allDependencies(packageJson(repository, path)))
  const everything = [...repository.keys()].filter((path) => posix.basename(path) === 'package.json').flatMap(namesIn)
  return code(repository).flatMap(([path, source]) => {
    const own = nearestPackageJson(repository, path)
    // Tests use the tools of the root.
    const tools = isTest(path) || folderOf(path) === 'local' ? namesIn('package.json') : []
    const declared = own === 'package.json' ? everything : [...namesIn(own), ...tools]
    return importsOf(source)
      .filter((specifier) => !/^(\.|node:)/.test(specifier))
      .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
      .filter((name) => !declared.includes(name) && name !== packageJson(repository, own).name)
      .map((name) => `${path}: imports ${name}, which its package.json does not declare`)
  })
}

export const exactVersions: Rule = (repository) =>
  [...repository.keys()]
    .filter((path) => posix.basename(path) === 'package.json')
    .flatMap((path) =>
      Object.entries(allDependencies(packageJson(repository, path)))
        .filter(([, version]) => !/^(npm:(@[\w-]+\/)?[\w-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${path}: ${name} is "${version}", not one exact version`),
    )

/** The specifiers of every static and dynamic import and re-export in `source`. */
export function importsOf(source: string): string[] {
  // An import clause holds no quote, parenthesis, equals sign or semicolon: so a match can't run on into other code.
  const patterns = [/^(?:import|export)\b[^'"`;=()]*?\bfrom '([^']+)'/gm, /^import '([^']+)'/gm, /\bimport\('([^']+)'/g]
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, specifier = '']) => specifier))
}

/** The workspace that an import leads to; undefined for a package from npm. */
function ownFolderOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return folderOf(posix.join(posix.dirname(path), specifier))
  if (!specifier.startsWith(SCOPE)) return undefined
  const name = specifier.slice(SCOPE.length).split('/')[0] ?? ''
  return [name, `packages/${name}`, `services/${name}`].find((folder) => folder in arrows)
}

/** The workspace of a path: `packages/outbox`, `local`; '' for a file of the root. */
function folderOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  if (!path.includes('/')) return ''
  const below = `${first}/${second}`
  return first === 'packages' || first === 'services' || below in arrows ? below : first
}

/** Tests, and what only tests import. */
function isTest(path: string): boolean {
  return /(\.test|vitest\.config)\.ts$/.test(path) || testSupport.test(path) || outside.includes(folderOf(path))
}

function code(repository: Repository): [string, string][] {
  return [...repository].filter(([path]) => path.endsWith('.ts'))
}

function packageJson(repository: Repository, path: string): PackageJson {
  return JSON.parse(repository.get(path) ?? '{}') as PackageJson
}

/** Of the workspace, or of a folder within it that the default install leaves out. */
function nearestPackageJson(repository: Repository, path: string): string {
  const folder = posix.dirname(path)
  const here = folder === '.' ? 'package.json' : `${folder}/package.json`
  return folder === '.' || repository.has(here) ? here : nearestPackageJson(repository, folder)
}

function allDependencies(json: PackageJson): Record<string, string> {
  return { ...json.dependencies, ...json.optionalDependencies, ...json.devDependencies }
}
