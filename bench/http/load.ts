import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import type { Figures } from '../scenario.ts'
import { installed } from './installed.ts'

const run = promisify(execFile)

export interface Load {
  url: string
  connections: number
  seconds: number
  /** The body of a POST; without one the request is a GET. */
  body?: string
  /** A file with a path in each line, to ask for one after the other, instead of the path of `url`. */
  pathsFile?: string
}

/**
 * With `wrk`, which takes a tenth of a core from those that it measures; where it is not installed, with autocannon.
 */
export const loadTool = (await installed('wrk')) ? 'wrk' : 'autocannon'

/** As many requests as `connections` get answered in that time. Throws when one of them was not answered with 2xx. */
export async function load(options: Load): Promise<Figures> {
  const { requests, seconds, p50, p99, failed } = await (loadTool === 'wrk' ? byWrk : byAutocannon)(options)
  if (failed > 0) throw new Error(`${failed} of ${requests} requests to ${options.url} failed`)
  return { 'requests/s': requests / seconds, 'p50 ms': p50, 'p99 ms': p99 }
}

interface Counted {
  requests: number
  seconds: number
  p50: number
  p99: number
  failed: number
}

async function byWrk({ url, connections, seconds, body, pathsFile }: Load): Promise<Counted> {
  const script = `${import.meta.dirname}/wrk.lua`
  const what = pathsFile !== undefined ? ['paths', pathsFile] : body !== undefined ? ['post', body] : []
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script]
  const { stdout } = await run('wrk', [...options, url, '--', ...what])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Counted
}

async function byAutocannon({ url, connections, seconds, body, pathsFile }: Load): Promise<Counted> {
  if (pathsFile !== undefined) throw new Error('only wrk asks for many paths')
  const post = { method: 'POST' as const, headers: { 'content-type': 'application/json' } }
  const result = await autocannon({ url, connections, duration: seconds, ...(body !== undefined && { ...post, body }) })
  const { p50, p99 } = result.latency
  return { requests: result.requests.total, seconds: result.duration, p50, p99, failed: result.errors + result.non2xx }
}
