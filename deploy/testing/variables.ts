import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** Where the environment is read: `config.ts` of each program, and what several of them share. */
export function configFiles(): string[] {
  const folders = '{packages,services,operations,deploy}'
  return globSync([`${folders}/**/config.ts`, `${folders}/**/*-config.ts`], {
    cwd: root,
    exclude: ['**/node_modules/**', 'deploy/aws/**', 'deploy/kubernetes/**'],
  })
}

/** Every variable that some of them reads: a key of `readConfig`, or one that it names. */
export function knownVariables(): Set<string> {
  return new Set(
    configFiles().flatMap((path) => {
      const source = readFileSync(join(root, path), 'utf8')
      return [
        ...[...source.matchAll(/^ +([A-Z][A-Z_]+): /gm)].map(([, name = '']) => name),
        ...[...source.matchAll(/\benv\.([A-Z][A-Z_]+)/g)].map(([, name = '']) => name),
      ]
    }),
  )
}
