import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { connect, databaseFault } from '@product-events/database'
import { freshDatabase, machineVariables } from '@product-events/local'
import { expect, inject, test, vi } from 'vitest'
import { grantsOf } from './grants.ts'

vi.setConfig({ testTimeout: 120_000 })

async function npmRunMigrate(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../migrate.ts`, ...args], {
    env: { ...machineVariables(), ...env },
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}

test('lists what is due, applies it once, and then has nothing to do', async () => {
  const env = {
    DATABASE_URL: inject('postgresUrl'),
    PRODUCTS_DATABASE_URL: await freshDatabase(inject('postgresUrl')),
    NOTIFICATIONS_DATABASE_URL: await freshDatabase(inject('postgresUrl')),
  }
  const dry = await npmRunMigrate(['--dry-run'], env)
  expect(dry).toMatchObject({ code: 0, stderr: '' })
  expect(dry.stdout).toMatch(/^product-service, postgres:\/\/[^,]+: due: 0001_outbox, .*0001_products, /)
  expect(dry.stdout).toMatch(/^notification-service, [^,]+: due: 0001_outbox, .*0001_notifications, /m)
  const applied = await npmRunMigrate([], env)
  expect([applied.code, applied.stdout.match(/applied/g)?.length]).toEqual([0, 2])
  const again = await npmRunMigrate(['--service', 'product-service'], env)
  expect([again.code, again.stdout.match(/nothing was due/g)?.length]).toEqual([0, 1])
})

test('two services in one database are refused, a wrong variable is named, and an unknown option is 2', async () => {
  const DATABASE_URL = await freshDatabase(inject('postgresUrl'))
  const shared = await npmRunMigrate([], { DATABASE_URL })
  expect(shared.code).toBe(1)
  expect(shared.stderr).toMatch(/^migrate: this database belongs to product-service [^\n]+\n$/)
  expect(await npmRunMigrate([], {})).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('DATABASE_URL') as string,
  })
  expect((await npmRunMigrate(['--wrong'])).code).toBe(2)
})

test('the printed grants are what the services need, and no more than the tables they name', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  await npmRunMigrate(['--service', 'product-service'], { DATABASE_URL: databaseUrl })
  const printed = await npmRunMigrate(['--grants', '--service', 'product-service'])
  expect(printed.stdout).toContain(grantsOf('product-service'))
  const admin = connect({ databaseUrl, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
  const suffix = `${process.pid}_${Date.now()}`
  const roles = {
    product_service: `product_service_${suffix}`,
    product_relay: `relay_${suffix}`,
    console: `console_${suffix}`,
  }
  for (const role of Object.values(roles)) await admin.query(`CREATE ROLE ${role} LOGIN`)
  await admin.query(
    printed.stdout.replaceAll(
      /TO (product_service|product_relay|console);/g,
      (_, role: keyof typeof roles) => `TO ${roles[role]};`,
    ),
  )
  const as = async (role: string, needs: Parameters<typeof databaseFault>[1]) => {
    const url = databaseUrl.replace('postgres@', `${role}@`)
    const pool = connect({ databaseUrl: url, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
    try {
      return await databaseFault(pool, needs)
    } finally {
      await pool.end()
    }
  }
  const relayNeeds = { 'public.events': ['SELECT', 'UPDATE', 'DELETE'], 'public.outbox_lanes': ['UPDATE'] } as const
  expect(await as(roles.product_relay, relayNeeds)).toBeUndefined()
  expect(await as(roles.product_relay, { 'public.products': ['SELECT'] })).toBe(
    'permission denied: SELECT on public.products',
  )
  expect(await as(roles.product_service, { ...relayNeeds, 'public.products': ['INSERT', 'DELETE'] })).toBeUndefined()
  await admin.end()
})
