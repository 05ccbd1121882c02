import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isIP } from 'node:net'
import { systemNames } from './system-names.ts'

/** The addresses of a host, IPv4 first. Rejects, with the reason, within `LONGEST_LOOKUP_MS`. */
export type Resolve = (host: string) => Promise<Address[]>

export interface Address {
  address: string
  family: 4 | 6
}

/** Name servers that work answer within milliseconds; the connection and the answer share the rest of a try's time. */
const LONGEST_LOOKUP_MS = 2_000
/** A lost packet is sent again after this time. */
const QUERY_TIMEOUT_MS = 500
const QUERY_TRIES = 3
/** How long after the first answer the other family is waited for (RFC 8305, section 3). */
const OTHER_FAMILY_MS = 50
/** Addresses change by DNS within this time, whatever the record allows. */
const LONGEST_FRESH_MS = 30_000
const SHORTEST_FRESH_MS = 1_000
/** Deliveries that fail meanwhile share the failure, and ask no silent name server again. */
const FAILURE_FRESH_MS = 1_000

/**
 * Looks names up by c-ares: a silent name server keeps none of libuv's four threads, which file access and every
 * `dns.lookup` of the process share. One look-up a host at a time, and each has a resolver of its own: the silence of
 * one host's name server can't delay another host. `nameServers` replaces those of the system.
 */
export function createResolve(nameServers?: readonly string[]): Resolve {
  const lookUps = new Map<string, { addresses: Promise<Address[]>; freshUntil: number }>()

  return (host) => {
    const known = lookUps.get(host)
    if (known && performance.now() < known.freshUntil) return known.addresses
    const looked = lookUp(host, nameServers)
    const entry = { addresses: looked.then(({ addresses }) => addresses), freshUntil: Infinity }
    looked.then(
      ({ freshMs }) => (entry.freshUntil = performance.now() + freshMs),
      () => (entry.freshUntil = performance.now() + FAILURE_FRESH_MS),
    )
    lookUps.set(host, entry)
    return entry.addresses
  }
}

interface Found {
  addresses: Address[]
  freshMs: number
}

async function lookUp(host: string, nameServers: readonly string[] | undefined): Promise<Found> {
  const { addresses, candidates } = systemNames(host)
  if (addresses.length > 0) return { addresses: addresses.map(withFamily), freshMs: SHORTEST_FRESH_MS }
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES })
  if (nameServers) resolver.setServers(nameServers)
  const timer = setTimeout(() => resolver.cancel(), LONGEST_LOOKUP_MS)
  try {
    return await firstFound(resolver, host, candidates)
  } finally {
    clearTimeout(timer)
    resolver.cancel()
  }
}

async function firstFound(resolver: Resolver, host: string, candidates: readonly string[]): Promise<Found> {
  let failure = 'ENOTFOUND'
  for (const name of candidates) {
    const found = await query(resolver, name)
    if (typeof found !== 'string') return found
    failure = found
    if (failure === 'ECANCELLED') break
  }
  if (/^(ECANCELLED|ETIMEOUT)$/.test(failure)) throw new Error(`no name server answered for ${host} within 2 s`)
  throw new Error(`${host} has no address (${failure})`)
}

/** The addresses of a full name, or the code of the failure. */
async function query(resolver: Resolver, name: string): Promise<Found | string> {
  const records: { address: string; ttl: number }[] = []
  let failure = 'ENODATA'
  const add = (found: { address: string; ttl: number }[]) => void records.push(...found)
  const fail = ({ code }: NodeJS.ErrnoException) => void (failure = code && code !== 'ENODATA' ? code : failure)
  const four = resolver.resolve4(name, { ttl: true }).then(add, fail)
  const six = resolver.resolve6(name, { ttl: true }).then(add, fail)
  await Promise.race([four, six])
  await Promise.race([Promise.all([four, six]), records.length > 0 ? sleep(OTHER_FAMILY_MS) : new Promise(() => {})])
  if (records.length === 0) return failure
  const freshMs = Math.min(...records.map(({ ttl }) => ttl * 1_000))
  return {
    addresses: records.map(({ address }) => withFamily(address)).toSorted((one, other) => one.family - other.family),
    freshMs: Math.min(LONGEST_FRESH_MS, Math.max(SHORTEST_FRESH_MS, freshMs)),
  }
}

function withFamily(address: string): Address {
  return { address, family: isIP(address) === 6 ? 6 : 4 }
}
