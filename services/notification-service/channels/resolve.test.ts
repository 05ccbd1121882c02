import { afterEach, expect, test } from 'vitest'
import { lookupBy } from './address-guard.ts'
import { createResolve } from './resolve.ts'
import { addressesIn, candidatesOf, systemNames } from './system-names.ts'
import { nameServer } from './testing/name-server.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function resolveBy(answer: Parameters<typeof nameServer>[0]) {
  const server = await nameServer(answer)
  opened.push(server.close)
  return { resolve: createResolve([server.address]), asked: server.asked }
}

const addressesOf = (found: { address: string }[]) => found.map(({ address }) => address)

test('a name has the addresses of both families, IPv4 first', async () => {
  const { resolve } = await resolveBy((_, type) => (type === 'A' ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1']))
  const found = await resolve('erp.example')
  expect(addressesOf(found.slice(0, 2)).toSorted((one, other) => one.localeCompare(other))).toEqual([
    '192.0.2.1',
    '192.0.2.2',
  ])
  expect(found[2]).toEqual({ address: '2001:db8::1', family: 6 })
})

test('many deliveries at once ask once, and those after them ask nothing while the answer is fresh', async () => {
  const { resolve, asked } = await resolveBy((_, type) => (type === 'A' ? ['192.0.2.1'] : []))
  await Promise.all(Array.from({ length: 50 }, () => resolve('erp.example')))
  await resolve('erp.example')
  expect(asked.filter((name) => name === 'erp.example')).toHaveLength(2)
})

test('a name server that says nothing fails its host within a bound, and delays no other host', async () => {
  const { resolve } = await resolveBy((name, type) =>
    name.startsWith('silent') ? 'silent' : type === 'A' ? ['192.0.2.1'] : [],
  )
  const hosts = Array.from({ length: 20 }, (_, index) => `silent${index}.example`)
  let silentEnded = 0
  const silent = hosts.map((host) => resolve(host).finally(() => silentEnded++))
  expect(addressesOf(await resolve('erp.example'))).toEqual(['192.0.2.1'])
  expect(silentEnded).toBe(0)
  const from = performance.now()
  for (const { status, ...rest } of await Promise.allSettled(silent)) {
    expect(status).toBe('rejected')
    expect(String((rest as PromiseRejectedResult).reason)).toContain('no name server answered for silent')
  }
  expect(performance.now() - from).toBeLessThan(20_000)
})

test('a name server that is silent about one family does not delay the other', async () => {
  const { resolve } = await resolveBy((_, type) => (type === 'A' ? ['192.0.2.1'] : 'silent'))
  expect(addressesOf(await resolve('erp.example'))).toEqual(['192.0.2.1'])
})

test('a name that does not exist is refused by its name', async () => {
  const { resolve } = await resolveBy(() => [])
  await expect(resolve('gone.example')).rejects.toThrow('gone.example has no address (ENOTFOUND)')
})

test('localhost needs no name server', async () => {
  const { resolve, asked } = await resolveBy(() => 'silent')
  expect(addressesOf(await resolve('localhost'))).toContain('127.0.0.1')
  expect(addressesOf(await resolve('api.localhost'))).toContain('127.0.0.1')
  expect(asked).toEqual([])
})

test.each([
  ['127.0.0.1', []],
  ['10.0.0.7', []],
  ['8.8.8.8', ['::1']],
  ['8.8.8.8', ['::ffff:10.0.0.1'.replace('10.0.0.1', 'a00:1')]],
  ['8.8.8.8', ['64:ff9b::7f00:1']],
  ['8.8.8.8', ['2002:7f00:1::']],
])('a name at %s and %j is not connected to, whichever address is public', async (four, six) => {
  const { resolve } = await resolveBy((_, type) => (type === 'A' ? [four] : six))
  const guarded = Promise.withResolvers<unknown>()
  lookupBy(resolve, { publicOnly: true })('rebound.example', { all: true }, (error, addresses) =>
    error ? guarded.reject(error) : guarded.resolve(addresses),
  )
  await expect(guarded.promise).rejects.toThrow('not a public address')
})

test('names of the hosts file are found in any case, without their comments', () => {
  const hosts =
    '127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n# 10.0.0.1 erp\n10.0.0.2  ERP erp.internal # shop\nx erp\n'
  expect(addressesIn(hosts, 'localhost')).toEqual(['127.0.0.1', '::1'])
  expect(addressesIn(hosts, 'erp')).toEqual(['10.0.0.2'])
  expect(addressesIn(hosts, 'shop')).toEqual([])
})

test('search domains are tried as resolv.conf has them, by the number of dots', () => {
  const kubernetes = 'search shop.svc.cluster.local svc.cluster.local\nnameserver 10.0.0.10\noptions ndots:5\n'
  expect(candidatesOf(kubernetes, 'erp.billing')).toEqual([
    'erp.billing.shop.svc.cluster.local',
    'erp.billing.svc.cluster.local',
    'erp.billing',
  ])
  expect(candidatesOf('search example.com', 'erp.example')).toEqual(['erp.example', 'erp.example.example.com'])
  expect(candidatesOf('', 'erp')).toEqual(['erp'])
  expect(systemNames('erp.example.').candidates).toEqual(['erp.example'])
})
