import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isGone, type Part, recordLastWords, stopChild } from './child.ts'
import { localCredentials } from './testing/fresh.ts'

export const serviceNames = ['product-service', 'notification-service'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface ServiceOptions {
  databaseUrl: string
  sqsEndpoint: string
  queueName: string
  httpPort: number
  metricsPort: number
  logLevel: string
  /** Called with each line that the service writes, to stdout or stderr. */
  onLine: (line: string) => void
  /** More of its variables: those of OpenTelemetry, say. */
  variables?: Record<string, string>
  /** The module that traces it, if not `packages/telemetry/tracing.ts`. */
  tracing?: string
  /** Modules to load before it. */
  preload?: string[]
  /** The program, if not the service's `main.ts`. */
  main?: string
}

const endWithParent = new URL('end-with-parent.ts', import.meta.url).href
const tracing = new URL('../packages/telemetry/tracing.ts', import.meta.url).href
/** A service may take ten seconds over its shutdown. */
const STOP_TIMEOUT_MS = 12_000
/** Short against the time that a service takes to start, long against the time that asking takes. */
const READY_POLL_MS = 25
/** Migrations of a large database take their time; beyond this something is wrong. */
const READY_TIMEOUT_MS = 60_000

/**
 * Starts a service as a process of its own and returns at once: `untilReady` waits. Of this process's environment it
 * sees nothing that could send it elsewhere: neither a DATABASE_URL nor an AWS_PROFILE.
 */
export function startService(name: ServiceName, options: ServiceOptions): Part {
  return startProgram(name, {
    main: options.main ?? resolve(import.meta.dirname, '../services', name, 'main.ts'),
    preload: [options.tracing ?? tracing, ...(options.preload ?? [])],
    variables: environment(options),
    onLine: options.onLine,
  })
}

export interface ProgramOptions {
  main: string
  /** Modules to load before it. */
  preload: string[]
  variables: Record<string, string>
  onLine: (line: string) => void
}

/**
 * Starts one of our programs, which ends with this process. It gets these variables, and what it needs of the machine.
 */
export function startProgram(name: string, { main, preload, variables, onLine }: ProgramOptions): Part {
  const modules = [endWithParent, ...preload].flatMap((module) => ['--import', module])
  const child = spawn(process.execPath, [...modules, main], {
    // Its own group, or a Ctrl-C would reach it beside the supervisor that stops everything in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...machineVariables(), ...localCredentials, ...variables },
  })
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine)
  }
  return {
    name,
    process: child,
    lastWords: recordLastWords(child),
    stop: () => stopChild(child, { signal: 'SIGTERM', force: 'SIGKILL', timeoutMs: STOP_TIMEOUT_MS }),
    kill: () => child.kill('SIGKILL'),
  }
}

/** Resolves once the service says it is ready; rejects when it ends before, or names what it is still missing. */
export async function untilReady(service: Part, metricsPort: number, signal?: AbortSignal): Promise<void> {
  let answer = 'no answer'
  for (const until = Date.now() + READY_TIMEOUT_MS; Date.now() < until;) {
    signal?.throwIfAborted()
    if (isGone(service.process))
      throw new Error(`${service.name} ended before it was ready\n${service.lastWords()}`.trimEnd())
    try {
      const response = await fetch(`http://127.0.0.1:${metricsPort}/health/ready`)
      answer = (await response.text()).trim()
      if (response.ok) return
    } catch {
      // not listening yet
    }
    await sleep(READY_POLL_MS)
  }
  throw new Error(`${service.name} was not ready after ${READY_TIMEOUT_MS / 1000} s: ${answer}`)
}

function environment(options: ServiceOptions): Record<string, string> {
  return {
    ...options.variables,
    DATABASE_URL: options.databaseUrl,
    AWS_ENDPOINT_URL_SQS: options.sqsEndpoint,
    SQS_QUEUE_NAME: options.queueName,
    HTTP_PORT: String(options.httpPort),
    METRICS_PORT: String(options.metricsPort),
    LOG_LEVEL: options.logLevel,
  }
}

/**
 * What a process needs of the machine: programs, a home, a place for temporary files and compiled code, Windows'
 * sockets.
 */
export function machineVariables(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE', 'SystemRoot']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}
