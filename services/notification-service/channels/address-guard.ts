import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { Address, Resolve } from './resolve.ts'

/**
 * IPv4 that does not lead to the internet: this network, private, shared, loopback, link-local, documentation,
 * benchmarks, multicast, reserved (IANA IPv4 Special-Purpose Address Registry).
 */
const NOT_PUBLIC_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/**
 * Global unicast. Outside are loopback, link-local, unique local, IPv4-mapped and NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
 */
const GLOBAL_IPV6 = ['2000::/3']
/** Within it: protocol assignments and Teredo, documentation, 6to4, which may carry any IPv4 address. */
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const notPublic4 = listOf(NOT_PUBLIC_IPV4, 'ipv4')
const global6 = listOf(GLOBAL_IPV6, 'ipv6')
const notPublic6 = listOf(NOT_PUBLIC_IPV6, 'ipv6')

/** Whether this is an address on the internet: neither this machine's, nor its network's, nor the cloud's. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic4.check(address, 'ipv4')
    case 6:
      return global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6')
    default:
      return false
  }
}

/** An address that a delivery must not go to. */
export class ForbiddenAddress extends Error {
  constructor(host: string, address: string) {
    super(`${host} is at ${address}, which is not a public address; allow_hosts can allow it`)
  }
}

/**
 * The `lookup` of the socket that is about to be opened. With `publicOnly` a single address that is not public fails
 * the whole look-up. The addresses that are checked are those that are connected to: a name that resolves differently
 * the second time gains nothing.
 */
export function lookupBy(resolve: Resolve, { publicOnly }: { publicOnly: boolean }): LookupFunction {
  async function addressesOf(hostname: string): Promise<[Address, ...Address[]]> {
    const [first, ...others] = await resolve(hostname)
    if (!first) throw new Error(`${hostname} has no address`)
    const forbidden = publicOnly ? [first, ...others].find(({ address }) => !isPublicAddress(address)) : undefined
    if (forbidden) throw new ForbiddenAddress(hostname, forbidden.address)
    return [first, ...others]
  }

  async function answer(...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> {
    const found = await addressesOf(hostname).catch((error: Error) => error)
    if (found instanceof Error) callback(found, '', 0)
    else if (options.all) callback(null, found)
    else callback(null, found[0].address, found[0].family)
  }

  return (...asked) => void answer(...asked)
}

/** A host that is an IP address is connected to without a look-up, so it is checked before. */
export function forbiddenLiteral(hostname: string): ForbiddenAddress | undefined {
  const address = hostname.replace(/^\[|\]$/g, '')
  return isIP(address) !== 0 && !isPublicAddress(address) ? new ForbiddenAddress(hostname, address) : undefined
}

function listOf(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/')
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}
