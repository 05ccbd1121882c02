import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/**
 * IPv4 that is nobody's on the internet: this network, private, shared, loopback, link-local, documentation, benchmarks,
 * multicast, reserved (IANA IPv4 Special-Purpose Address Registry).
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
/** All of IPv6 that is given out to anybody. Outside are loopback, link-local, unique local, IPv4-mapped and NAT64. */
const GLOBAL_IPV6 = ['2000::/3']
/** Within it: protocol assignments and Teredo, documentation, 6to4, which may carry any IPv4 address. */
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const notPublic4 = listOf(NOT_PUBLIC_IPV4, 'ipv4')
const global6 = listOf(GLOBAL_IPV6, 'ipv6')
const notPublic6 = listOf(NOT_PUBLIC_IPV6, 'ipv6')

/** Whether this IP address may be anybody's on the internet: neither this machine, nor its network, nor the cloud's. */
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
 * `dns.lookup` for the socket that is about to be opened: what is checked is what is connected to, so a name that
 * resolves differently the second time gains nothing. A single address that is not public fails the whole lookup.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    const forbidden = addresses?.find(({ address }) => !isPublicAddress(address))
    const failure = error ?? (forbidden && new ForbiddenAddress(hostname, forbidden.address))
    const [first] = addresses ?? []
    if (failure || !first) callback(failure ?? new Error(`${hostname} has no address`), '', 0)
    else if (options.all) callback(null, addresses satisfies LookupAddress[])
    else callback(null, first.address, first.family)
  })
}

/** A host that is an IP address is connected to without a lookup: it has to be looked at before. */
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
