import { describe, expect, test } from 'vitest'
import { readServiceConfig } from '../../services/notification-service/config.ts'
import { readProductServiceConfig, readRelayConfig } from '../../services/product-service/config.ts'
import { readConsoleConfig } from '../../operations/console/config.ts'
import { readImageConfig } from '../config.ts'
import { deploymentRoles } from '../postgres/roles.ts'
import { programs } from '../programs.ts'
import { knownVariables } from '../testing/variables.ts'
import { databaseUsers } from './names.ts'
import { resolve } from './testing/resolved.ts'
import { resources, synthesise, type Templates, variants } from './testing/synthesised.ts'

interface Container {
  Name: string
  Environment?: { Name: string; Value: unknown }[]
  Secrets?: { Name: string }[]
}

const known = knownVariables()
/** Read by libraries: `pg` takes the password of a URL without one from here, the collector its configuration. */
const ofLibraries = ['PGPASSWORD', 'AOT_CONFIG_CONTENT']

function containers(templates: Templates): Map<string, Record<string, string>> {
  const definitions = resources(templates)
    .filter(({ Type }) => Type === 'AWS::ECS::TaskDefinition')
    .flatMap(({ Properties }) => Properties['ContainerDefinitions'] as Container[])
  return new Map(
    definitions.map(({ Name, Environment = [], Secrets = [] }) => [
      Name,
      Object.fromEntries([
        ...(Name === 'collector'
          ? Environment.map(({ Name }) => [Name, ''])
          : Environment.map((one) => [one.Name, String(resolve(one.Value, templates))])),
        ...Secrets.map((one) => [one.Name, 'secret']),
      ]) as Record<string, string>,
    ]),
  )
}

describe.each(Object.entries(variants))('%s', (_name, settings) => {
  const tasks = containers(synthesise(settings))
  const environment = (name: string) => tasks.get(name) ?? {}

  test('every variable of every task is one that a config.ts reads', () => {
    const variables = [...tasks.values()].flatMap((variables) => Object.keys(variables))
    expect(variables.length).toBeGreaterThan(20)
    expect(variables.filter((name) => !known.has(name) && !ofLibraries.includes(name))).toEqual([])
  })

  test('the configuration of each service accepts its environment', () => {
    const product = readProductServiceConfig(environment('product-service'))
    const { queueUrl, httpPort, metricsPort, host, access, relay, database } = product
    expect({ httpPort, metricsPort, host, access }).toEqual({
      httpPort: 8080,
      metricsPort: 8082,
      host: '0.0.0.0',
      access: settings.tokens,
    })
    expect(queueUrl).toBe(`https://sqs.eu-central-1.amazonaws.com/111122223333/${settings.queueName}`)
    expect(relay).toBe(settings.relay ? 'off' : 'on')
    expect(database).toMatchObject({ credentials: { kind: 'iam', region: 'eu-central-1' }, migrate: 'off' })
    expect(new URL(database.url)).toMatchObject({ pathname: '/products', username: 'product_service', port: '5432' })
    expect(new URL(database.url).searchParams.get('sslmode')).toBe('verify-full')

    const notification = readServiceConfig(environment('notification-service'))
    expect([notification.httpPort, notification.metricsPort]).toEqual([8081, 8083])
    expect(new URL(notification.database.url).pathname).toBe('/notifications')
    expect(notification.queueUrl).toBe(queueUrl)
    if (settings.egress === 'nat')
      expect(readConsoleConfig(environment('console'))).toMatchObject({
        port: 8084,
        access: { albArn: expect.stringContaining(':loadbalancer/app/') as string, issuer: settings.signIn.issuer },
        migrates: false,
      })
    if (settings.relay) expect(readRelayConfig(environment('relay')).metricsPort).toBe(8082)
  })

  test('SERVICE names a program of the image', () => {
    const services = [...tasks.values()].flatMap(({ SERVICE }) => SERVICE ?? [])
    expect(services).toEqual(expect.arrayContaining(['product-service', 'notification-service', 'migrate', 'roles']))
    expect(services.filter((name) => !Object.keys(programs).includes(name))).toEqual([])
    for (const SERVICE of services) expect(readImageConfig({ SERVICE })).toEqual({ program: SERVICE })
  })
})

test('the database users of the tasks are those that the setup task makes', () => {
  const { master: _, ...users } = databaseUsers
  const made = deploymentRoles.flatMap(({ owner, users }) => [owner, ...users])
  expect(new Set(made)).toEqual(new Set(Object.values(users)))
})
