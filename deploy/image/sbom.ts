import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Component {
  name: string
  version: string
  license: string | undefined
}

/**
 * The packages whose modules are in the bundles, as a CycloneDX document: what is in the image, not what was installed
 * to build it. The same modules give the same document.
 */
export function sbom(modules: Iterable<string>, version: string): object {
  const folders = new Set([...modules].flatMap((id) => packageFolder(id) ?? []))
  const components = new Map([...folders].map((folder) => readComponent(folder)).map((one) => [purl(one), one]))
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: 'product-events', version } },
    components: [...components]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { name, version, license }]) => ({
        type: 'library',
        'bom-ref': id,
        name,
        version,
        purl: id,
        ...(license !== undefined && { licenses: [{ expression: license }] }),
      })),
  }
}

/** The folder of the package that a module is in; undefined for a module of ours or of the bundler. */
function packageFolder(id: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replace(/^\0/, ''))?.[0]
}

function readComponent(folder: string): Component {
  const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Partial<Record<string, string>>
  return { name: json['name'] ?? '', version: json['version'] ?? '', license: json['license'] }
}

function purl({ name, version }: Component): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}
