import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; [field: string]: unknown }
  [field: string]: unknown
}

interface Kustomization {
  namespace: string
  resources: string[]
  images?: { name: string; newName?: string; newTag: string }[]
  patches?: { target: { kind: string; name?: string }; patch: string }[]
}

interface Operation {
  op: 'add' | 'replace' | 'remove'
  path: string
  value?: unknown
}

/**
 * What `kubectl kustomize <folder>` writes, for the part of kustomize that these overlays use: resources, one
 * namespace, images, JSON patches. A test compares the two where there is a kubectl.
 */
export function render(folder: string): Manifest[] {
  const {
    namespace,
    resources,
    images = [],
    patches = [],
  } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization
  const manifests = resources.flatMap((resource) => {
    const path = join(folder, resource)
    return statSync(path).isDirectory() ? render(path) : readManifests(path)
  })
  for (const { target, patch } of patches) {
    const targets = manifests.filter(
      ({ kind, metadata }) => kind === target.kind && (target.name ?? metadata.name) === metadata.name,
    )
    if (targets.length === 0) throw new Error(`a patch of ${folder} has no target ${JSON.stringify(target)}`)
    for (const manifest of targets) for (const operation of parse(patch) as Operation[]) apply(manifest, operation)
  }
  for (const manifest of manifests) {
    if (manifest.kind !== 'Namespace') manifest.metadata.namespace = namespace
    for (const container of containersOf(manifest)) container.image = imageOf(container.image, images)
  }
  return manifests
}

function readManifests(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as Manifest)
}

function apply(manifest: Manifest, { op, path, value }: Operation): void {
  const keys = path.split('/').slice(1)
  const last = keys.pop() ?? ''
  const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, manifest)
  if (op !== 'add' && !(last in parent)) throw new Error(`${manifest.kind} ${manifest.metadata.name} has no ${path}`)
  if (op === 'remove') delete parent[last]
  else parent[last] = value
}

export interface Container {
  name: string
  image: string
  env?: { name: string; value?: string; valueFrom?: { configMapKeyRef?: Key; secretKeyRef?: Key } }[]
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
  [field: string]: unknown
}
interface Key {
  name: string
  key: string
}

export interface PodSpec {
  containers: Container[]
  [field: string]: unknown
}

export function podOf(manifest: Manifest): PodSpec | undefined {
  return (manifest['spec'] as { template?: { spec?: PodSpec } } | undefined)?.template?.spec
}

export function containersOf(manifest: Manifest): Container[] {
  return podOf(manifest)?.containers ?? []
}

function imageOf(image: string, images: NonNullable<Kustomization['images']>): string {
  const [name = ''] = image.split(':')
  const change = images.find((one) => one.name === name)
  return change ? `${change.newName ?? name}:${change.newTag}` : image
}
