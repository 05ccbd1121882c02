import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { withDatabaseName } from '@product-events/database'
import {
  deadLetterQueueName,
  MAX_RECEIVE_COUNT,
  RETENTION_SECONDS,
  VISIBILITY_TIMEOUT_SECONDS,
} from '../packages/queue/find-or-create.ts'
import { readConsoleConfig } from '../operations/console/config.ts'
import { configFiles, knownVariables } from './testing/variables.ts'

interface Service {
  image?: string
  profiles?: string[]
  build?: { context: string; dockerfile: string }
  cap_drop?: string[]
  security_opt?: string[]
  read_only?: boolean
  environment?: Record<string, string>
  ports?: string[]
  network_mode?: string
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
}

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const compose = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}
const example = parseEnv(read('example.env')) as Record<string, string>
const ours = ['product-service', 'notification-service'] as const
const programs = [...ours, 'console'] as const
/** host port → container port, of every service of the stack. */
const ports = {
  postgres: ['5432:5432'],
  localstack: ['4566:4566'],
  prometheus: ['9090:9090'],
  grafana: ['3004:3000'],
  'product-service': ['8080:8080', '8082:8082'],
  'notification-service': ['8081:8081', '8083:8083'],
}

function service(name: string): Service {
  const found = compose.services[name]
  if (!found) throw new Error(`compose.yaml has no service ${name}`)
  return found
}

/** The mounts of a service as [source, target]; a source that begins with ./ is a path of the repository. */
function mounts(name: string): [string, string][] {
  return (service(name).volumes ?? []).map((volume) => {
    const [source, target] = volume.replace(':-', '?').split(':') as [string, string]
    return [source.replace(/\$\{COMPOSE_PROFILES\?host\}/, 'host'), target]
  })
}

/** What a host name of the stack's network is called on this machine. */
function onThisMachine(url: string): string {
  return url.replace('@postgres:', '@localhost:').replace('//localstack:', '//localhost:')
}

describe('compose.yaml', () => {
  test('publishes every port where example.env, the docs and the other services look for it, on this machine only', () => {
    const published = Object.entries(compose.services).flatMap(([name, { ports }]) => (ports ? [[name, ports]] : []))
    const expected = Object.entries(ports).map(([name, list]) => [name, list.map((pair) => `127.0.0.1:${pair}`)])
    expect(Object.fromEntries(published)).toEqual(Object.fromEntries(expected))
  })

  test('pins every image to a version', () => {
    const images = Object.values(compose.services).flatMap(({ image }) => image ?? [])
    const own = 'product-events:local'
    expect(images.filter((image) => image !== own)).toHaveLength(4)
    for (const image of images.filter((image) => image !== own)) expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/)
    expect(images).toContain('localstack/localstack:4.14.0')
  })

  test('mounts only files that exist', () => {
    const sources = Object.keys(compose.services).flatMap((name) => mounts(name).map(([source]) => source))
    const files = sources.filter((source) => source.startsWith('.'))
    expect(files).toHaveLength(7)
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true)
  })

  test('names every volume that it mounts, and no other', () => {
    const sources = Object.keys(compose.services).flatMap((name) => mounts(name).map(([source]) => source))
    expect(sources.filter((source) => !source.startsWith('.'))).toEqual(Object.keys(compose.volumes))
  })

  test('checks the health of everything, the two services in their Dockerfile', () => {
    for (const [name, { healthcheck, build }] of Object.entries(compose.services)) {
      expect(healthcheck?.test[0] ?? (build && 'in the Dockerfile'), name).toMatch(/^(CMD|in the Dockerfile)$/)
    }
  })

  test('starts our programs only in the profile, and only once PostgreSQL and the queues are there', () => {
    for (const [name, { profiles }] of Object.entries(compose.services)) {
      expect(profiles, name).toEqual(programs.some((own) => own === name) ? ['services'] : undefined)
    }
    for (const name of programs) {
      expect(service(name).depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        localstack: { condition: 'service_healthy' },
      })
    }
  })

  test('builds one image from the Dockerfile, in which each program is chosen by its name', () => {
    for (const name of programs) {
      expect(service(name)).toMatchObject({
        image: 'product-events:local',
        build: { context: '.', dockerfile: 'deploy/Dockerfile' },
        environment: { SERVICE: name },
      })
    }
  })

  test('takes every capability from every container, and no program gets new rights', () => {
    for (const [name, container] of Object.entries(compose.services))
      expect(container, name).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    for (const name of [...programs, 'prometheus']) expect(service(name).read_only, name).toBe(true)
    expect(service('grafana').environment?.['GF_AUTH_ANONYMOUS_ORG_ROLE']).toBe('Viewer')
  })

  test('lets only this machine reach the console, which sees what the other containers publish', () => {
    const { environment = {}, network_mode } = service('console')
    expect(network_mode).toBe('host')
    const config = readConsoleConfig(environment)
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8084, access: undefined })
    const published = [...compose.services['postgres']!.ports!, ...compose.services['localstack']!.ports!]
    for (const url of [config.productsUrl, config.sqsEndpoint ?? ''])
      expect(
        published.some((one) => one.startsWith(`127.0.0.1:${new URL(url).port}:`)),
        url,
      ).toBe(true)
    for (const { service: name, url } of config.instances)
      expect(service(name).ports, name).toContain(`127.0.0.1:${new URL(url).port}:${new URL(url).port}`)
  })
})

describe('example.env', () => {
  test('reaches the PostgreSQL of compose.yaml, where each service finds its own database', () => {
    const url = new URL(example['DATABASE_URL'] ?? '')
    expect([url.hostname, url.port]).toEqual(['localhost', '5432'])
    expect(url.username).toBe('postgres')
    expect(url.password).toBe(service('postgres').environment?.['POSTGRES_PASSWORD'])
    const created = [...read('deploy/postgres/databases.sql').matchAll(/^CREATE DATABASE (\w+);$/gm)].map(
      ([, db]) => db,
    )
    const wanted = ['products', 'notifications']
    expect(created).toEqual(wanted)
    expect(wanted.map((name) => new URL(withDatabaseName(url.href, name)).pathname)).toEqual(wanted.map((n) => `/${n}`))
  })

  test('reaches the LocalStack of compose.yaml, in its region, with credentials that the SDK accepts', () => {
    expect(example['AWS_ENDPOINT_URL_SQS']).toBe('http://localhost:4566')
    expect(example['AWS_REGION']).toBe(service('localstack').environment?.['AWS_DEFAULT_REGION'])
    expect(example['AWS_ACCESS_KEY_ID']).toBeTruthy()
    expect(example['AWS_SECRET_ACCESS_KEY']).toBeTruthy()
  })

  test('sets for a service on this machine what compose.yaml sets for one in a container, but for the host names', () => {
    for (const name of ours) {
      const { HOST, AUTH, OTEL_EXPORTER_OTLP_ENDPOINT, SERVICE: _, ...rest } = service(name).environment ?? {}
      expect([HOST, AUTH]).toEqual(['0.0.0.0', 'off'])
      // Passed on from the environment of docker compose, or from .env.
      expect(OTEL_EXPORTER_OTLP_ENDPOINT).toBe('${OTEL_EXPORTER_OTLP_ENDPOINT:-}')
      expect(Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, onThisMachine(value)]))).toEqual(
        example,
      )
    }
  })

  test('names every variable that the services read, and no other', () => {
    expect(configFiles()).toEqual(expect.arrayContaining(ours.map((name) => `services/${name}/config.ts`)))
    // The AWS SDK reads these two itself.
    const all = [...knownVariables(), 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
    // The terminal sets the first two, and `npm start` the third, for its own console.
    const notForPeople = ['TERM', 'NO_COLOR', 'CONSOLE_CONTROL_URL']
    const listed = [...read('example.env').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name)
    expect(new Set(listed)).toEqual(new Set(all.filter((name) => !notForPeople.includes(name))))
  })

  test('explains every variable in the line above it', () => {
    const lines = read('example.env').split('\n')
    const named = lines.flatMap((line, index) => (/^(# )?[A-Z_]+=/.test(line) ? [index] : []))
    expect(named.length).toBeGreaterThan(10)
    const explained = (index: number) => /^# [A-Za-z]/.test(lines[index - 1] ?? '')
    const second = (index: number) => named.includes(index - 1) && explained(index - 1)
    for (const index of named) expect(explained(index) || second(index), lines[index]).toBe(true)
  })
})

describe('the queues that LocalStack starts with', () => {
  const path = 'deploy/localstack/create-queues.sh'
  const constants = Object.fromEntries(
    [...read(path).matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, key, value]) => [key, value]),
  )

  test('are the ones that the services would make themselves', () => {
    expect(constants).toEqual({
      QUEUE: example['SQS_QUEUE_NAME'],
      RETENTION_SECONDS: String(RETENTION_SECONDS),
      VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_TIMEOUT_SECONDS),
      MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT),
    })
    const made = [...read(path).matchAll(/create-queue --queue-name "([^"]+)"/g)].map(([, name]) => name)
    expect(made).toEqual([deadLetterQueueName('$QUEUE'), '$QUEUE'])
    for (const name of Object.keys(constants)) expect(read(path)).toContain(`$${name}`)
  })

  test('are made by a script that LocalStack can run and that its health waits for', () => {
    expect(statSync(join(root, path)).mode & 0o111).toBe(0o111)
    expect(read(path)).toMatch(/^#!\/bin\/sh\n/)
    expect(mounts('localstack').map(([, target]) => target)).toContain('/etc/localstack/init/ready.d/create-queues.sh')
    expect(service('localstack').healthcheck?.test).toContain(constants['QUEUE'])
  })
})
