import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConsoleConfig } from '../../operations/console/config.ts'
import { readServiceConfig } from '../../services/notification-service/config.ts'
import { readProductServiceConfig, readRelayConfig } from '../../services/product-service/config.ts'
import { readImageConfig } from '../config.ts'
import { deploymentRoles } from '../postgres/roles.ts'
import { knownVariables } from '../testing/variables.ts'
import { containersOf, type Manifest, render } from './testing/rendered.ts'

const here = import.meta.dirname
const overlays = ['base', 'overlays/eks', 'overlays/trial']
/** What an operator puts into the secrets: docs/kubernetes.md. */
const secrets: Record<string, Record<string, string>> = {
  'console-databases': {
    PRODUCTS_DATABASE_URL: 'postgres://console:secret@postgres.example.com:5432/products',
    NOTIFICATIONS_DATABASE_URL: 'postgres://console:secret@postgres.example.com:5432/notifications',
  },
  'migration-databases': {
    products: 'postgres://products_owner:secret@postgres.example.com:5432/products',
    notifications: 'postgres://notifications_owner:secret@postgres.example.com:5432/notifications',
  },
}

function environmentOf(name: string, manifests: Manifest[]): Record<string, string> {
  const workload = manifests.find((one) => /Deployment|Job/.test(one.kind) && one.metadata.name === name)
  const [container] = workload ? containersOf(workload) : []
  const data = (map: string) =>
    manifests.find((one) => one.kind === 'ConfigMap' && one.metadata.name === map)?.['data'] as Record<string, string>
  const from = (container?.envFrom ?? []).map(({ configMapRef, secretRef }) =>
    configMapRef ? data(configMapRef.name) : (secrets[secretRef?.name ?? ''] ?? {}),
  )
  const own = (container?.env ?? []).map(({ name, value, valueFrom }) => {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
    if (configMapKeyRef) return { [name]: data(configMapKeyRef.name)[configMapKeyRef.key] ?? '' }
    if (secretKeyRef) return { [name]: secrets[secretKeyRef.name]?.[secretKeyRef.key] ?? '' }
    return { [name]: value ?? '' }
  })
  return Object.assign({}, ...from, ...own) as Record<string, string>
}

describe.each(overlays)('%s', (folder) => {
  const manifests = render(join(here, folder))
  const names = ['product-service', 'relay', 'notification-service', 'console', 'migration']

  test('every variable of every pod is one that a config.ts reads', () => {
    const variables = names.flatMap((name) => Object.keys(environmentOf(name, manifests)))
    expect(variables.length).toBeGreaterThan(25)
    const known = knownVariables()
    expect(variables.filter((name) => !known.has(name))).toEqual([])
  })

  test('the configuration of each program accepts its environment', () => {
    const product = readProductServiceConfig(environmentOf('product-service', manifests))
    expect(product).toMatchObject({ relay: 'off', httpPort: 8080, metricsPort: 8082, database: { migrate: 'off' } })
    expect(product.database.credentials).toEqual({ kind: 'file', path: '/run/secrets/database/password' })
    expect(readRelayConfig(environmentOf('relay', manifests)).metricsPort).toBe(8082)
    const notification = readServiceConfig(environmentOf('notification-service', manifests))
    expect(notification).toMatchObject({ httpPort: 8081, metricsPort: 8083, database: { migrate: 'off' } })
    expect(readConsoleConfig(environmentOf('console', manifests))).toMatchObject({ port: 8084, migrates: false })
    for (const name of names) {
      const { SERVICE } = environmentOf(name, manifests)
      expect(readImageConfig({ SERVICE })).toEqual({ program: name === 'migration' ? 'migrate' : name })
    }
  })

  test('the users are those that the program `roles` makes', () => {
    const made = deploymentRoles.flatMap(({ owner, users }) => [owner, ...users])
    const urls = names.flatMap((name) =>
      Object.entries(environmentOf(name, manifests)).flatMap(([key, url]) => (key.endsWith('DATABASE_URL') ? url : [])),
    )
    expect(urls).toHaveLength(7)
    for (const url of urls) expect(made).toContain(new URL(url).username)
  })
})

test('the password of a service is not in its environment', () => {
  for (const name of ['product-service', 'relay', 'notification-service']) {
    const url = new URL(environmentOf(name, render(join(here, 'base')))['DATABASE_URL'] ?? '')
    expect(url.password).toBe('')
  }
})
