import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'

/**
 * What the system's resolver knows besides name servers: its hosts file, and the domains in which it searches. c-ares
 * reads neither for a query, and names of a Kubernetes service or a compose file need them.
 */
export interface SystemNames {
  /** The addresses that this machine gives a name itself; none for a name that name servers must be asked for. */
  addresses: string[]
  /** The full names to ask name servers for, in their order. */
  candidates: string[]
}

const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'
const RESOLVER_FILE = '/etc/resolv.conf'
/** As resolv.conf(5) has it. */
const DEFAULT_NDOTS = 1

/** Reads the two files, which are small and may change while the process runs. */
export function systemNames(host: string): SystemNames {
  const name = host.toLowerCase().replace(/\.$/, '')
  const local = addressesIn(read(HOSTS_FILE), name)
  if (local.length > 0) return { addresses: local, candidates: [] }
  // RFC 6761: these are this machine's, with or without a line in the file.
  if (name === 'localhost' || name.endsWith('.localhost')) return { addresses: ['127.0.0.1', '::1'], candidates: [] }
  return { addresses: [], candidates: host.endsWith('.') ? [name] : candidatesOf(read(RESOLVER_FILE), name) }
}

/** Each line of a hosts file is an address and the names that it has. */
export function addressesIn(hosts: string, name: string): string[] {
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    return isIP(address) !== 0 && names.some((other) => other.toLowerCase() === name) ? [address] : []
  })
}

/** A name with as many dots as `ndots` is tried as it is first, another one in the search domains first. */
export function candidatesOf(resolverFile: string, name: string): string[] {
  let domains: string[] = []
  let ndots = DEFAULT_NDOTS
  for (const line of resolverFile.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/)
    // The last of them counts.
    if (keyword === 'search' || keyword === 'domain') domains = values.map((domain) => domain.replace(/\.$/, ''))
    if (keyword !== 'options') continue
    for (const option of values) if (/^ndots:\d+$/.test(option)) ndots = Number(option.slice('ndots:'.length))
  }
  const searched = domains.filter(Boolean).map((domain) => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...searched] : [...searched, name]
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
