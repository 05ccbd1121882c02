import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { containersOf, type Manifest, podOf, render } from './testing/rendered.ts'
import { findings } from './testing/schema.ts'

const here = import.meta.dirname
const overlays = ['base', 'overlays/eks', 'overlays/trial']
const hasKubectl = spawnSync('kubectl', ['kustomize', join(here, 'base')]).status === 0
const byName = (manifests: Manifest[]) =>
  manifests.toSorted((a, b) => (`${a.kind}/${a.metadata.name}` < `${b.kind}/${b.metadata.name}` ? -1 : 1))

describe.each(overlays)('%s', (folder) => {
  const manifests = render(join(here, folder))
  const pods = manifests.filter((manifest) => podOf(manifest) !== undefined)
  const named = (kind: string, name: string) => manifests.find((one) => one.kind === kind && one.metadata.name === name)

  test('is valid by the schemas of Kubernetes and KEDA', async () => {
    expect(manifests.length).toBeGreaterThan(20)
    expect(await findings(manifests)).toEqual([])
  })

  test.runIf(hasKubectl)('is what kubectl makes of it', () => {
    const output = execFileSync('kubectl', ['kustomize', join(here, folder)], { encoding: 'utf8' })
    const expected = parseAllDocuments(output).map((document) => document.toJS() as Manifest)
    expect(byName(manifests)).toEqual(byName(expected))
  })

  test('every pod keeps to the restricted standard, and needs no writable root and no token of the cluster', () => {
    expect(pods).toHaveLength(5)
    expect(named('Namespace', 'product-events')?.metadata['labels']).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    })
    for (const pod of pods) {
      expect(podOf(pod), pod.metadata.name).toMatchObject({
        automountServiceAccountToken: false,
        serviceAccountName: pod.metadata.name,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      })
      for (const container of containersOf(pod))
        expect(container, pod.metadata.name).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { limits: { memory: expect.any(String) as string } },
        })
      expect(named('ServiceAccount', pod.metadata.name)).toBeDefined()
    }
  })

  test('every service starts, lives and leaves by the health paths, with a pause for balancers that lag', () => {
    const services = pods.filter(({ kind }) => kind === 'Deployment')
    expect(services.map(({ metadata }) => metadata.name)).toHaveLength(4)
    for (const service of services) {
      const port = service.metadata.name === 'console' ? 'http' : 'operations'
      const [container] = containersOf(service)
      expect(container).toMatchObject({
        startupProbe: { httpGet: { path: '/health/started', port } },
        readinessProbe: { httpGet: { path: '/health/started', port } },
        livenessProbe: { httpGet: { path: '/health/live', port } },
        lifecycle: { preStop: { sleep: { seconds: 10 } } },
      })
      expect(podOf(service)).toMatchObject({
        terminationGracePeriodSeconds: 30,
        topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone' }],
      })
      expect(named('PodDisruptionBudget', service.metadata.name)).toBeDefined()
      expect(named('NetworkPolicy', service.metadata.name)).toBeDefined()
      expect(JSON.stringify(service['spec'])).not.toContain(':latest')
    }
  })

  test('everything that is named is there: accounts, settings, ports', () => {
    for (const pod of pods)
      for (const { envFrom = [], ports = [], ...probes } of containersOf(pod)) {
        for (const { configMapRef } of envFrom)
          if (configMapRef) expect(named('ConfigMap', configMapRef.name)).toBeDefined()
        const names = (ports as { name: string }[]).map(({ name }) => name)
        for (const [, port] of JSON.stringify(probes).matchAll(/"httpGet":\{"path":"[^"]*","port":"(\w+)"/g))
          expect(names).toContain(port)
      }
  })
})

describe('planted faults are found', () => {
  /** A Deployment of the base after `damage`, and its faults. */
  const after = (damage: (manifest: Manifest) => void, kind = 'Deployment', folder = 'base') => {
    const manifest = render(join(here, folder)).find((one) => one.kind === kind)
    if (!manifest) throw new Error(`no ${kind}`)
    damage(manifest)
    return findings([manifest])
  }

  test('a misspelt field', async () => {
    const found = await after((manifest) => Object.assign(manifest['spec'] as object, { replicsa: 2 }))
    expect(found.join('\n')).toMatch(/replicsa.* does not exist in type/)
  })

  test('a misspelt field deep inside', async () => {
    const found = await after((manifest) => Object.assign(containersOf(manifest)[0] ?? {}, { livenessprobe: {} }))
    expect(found.join('\n')).toContain('livenessprobe')
  })

  test('a value of the wrong type', async () => {
    const found = await after((manifest) => Object.assign(manifest['spec'] as object, { replicas: 'two' }))
    expect(found.join('\n')).toMatch(/replicas.*integer/)
  })

  test('a required field that is missing', async () => {
    const found = await after((manifest) => delete (manifest['spec'] as { selector?: object }).selector)
    expect(found.join('\n')).toContain('selector')
  })

  test('a misspelt field of KEDA', async () => {
    const found = await after(
      (manifest) => Object.assign(manifest['spec'] as object, { maxReplicas: 3 }),
      'ScaledObject',
      'overlays/eks',
    )
    expect(found.join('\n')).toContain('maxReplicas')
  })
})
