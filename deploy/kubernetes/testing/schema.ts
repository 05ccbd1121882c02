import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './rendered.ts'

const here = join(import.meta.dirname, '..')
const tsc = join(here, '..', '..', 'node_modules', '.bin', 'tsc')

interface Model {
  validate(): void
}

/**
 * What is wrong with the manifests, by the schemas of Kubernetes and KEDA. Their validators find missing fields and
 * wrong values; a field that no schema knows is found by the type checker, which compares each manifest with its type.
 */
export async function findings(manifests: readonly Manifest[]): Promise<string[]> {
  const invalid: string[] = []
  for (const manifest of manifests) {
    const models = (await import(moduleOf(manifest))) as Record<string, new (data: Manifest) => Model>
    const Kind = models[manifest.kind]
    if (!Kind) throw new Error(`${manifest.apiVersion} has no ${manifest.kind}`)
    try {
      new Kind(manifest).validate()
    } catch (error) {
      invalid.push(`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`)
    }
  }
  return [...invalid, ...unknownFields(manifests)]
}

function moduleOf({ apiVersion }: Manifest): string {
  return apiVersion.includes('keda.sh') ? `@kubernetes-models/keda/${apiVersion}` : `kubernetes-models/${apiVersion}`
}

function unknownFields(manifests: readonly Manifest[]): string[] {
  const folder = mkdtempSync(join(here, 'node_modules', '.manifests-'))
  try {
    const lines = manifests.flatMap((manifest, index) => [
      `import type { I${manifest.kind} as Kind${index} } from '${moduleOf(manifest)}'`,
      `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest)}`,
    ])
    writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: ['manifests.ts'], exclude: [] }),
    )
    const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', folder], { encoding: 'utf8' })
    return stdout.split('\n').filter((line) => /error TS/.test(line))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
