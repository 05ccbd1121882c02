import {
  freePort,
  freshDatabase,
  isGone,
  type Part,
  type ServiceName,
  startService,
  untilReady,
} from '@product-events/local'
import { randomUUID } from 'node:crypto'

/** Ends a service that answers what its OpenAPI document does not describe. */
const answersAreDescribed = new URL('../packages/http-api/testing/answers.ts', import.meta.url).href

/** A line of a service's log, parsed; one that is not JSON has it as `msg`. */
export type LogLine = Record<string, unknown>

/** One of the two services, as a process that a test may stop, kill and start again. */
export interface Service {
  url: string
  metricsUrl: string
  databaseUrl: string
  /** Everything it logged, over all its lives. */
  log: LogLine[]
  /** Resolves once it is ready. */
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  /** The value of a metric of the running process, all its labels added up; undefined when it has none of that name. */
  metric(name: string): Promise<number | undefined>
}

export interface Stack {
  products: Service
  notifications: Service
  stop(): Promise<void>
}

export interface StackOptions {
  /** What `inject` gives. */
  postgresUrl: string
  sqsEndpoint: string
  queueName?: string
  /** Instances of one service share a database; by default each service has its own. */
  databaseUrl?: string
  /** Other programs than the services' own. */
  mains?: Partial<Record<ServiceName, string>>
  /** The module that traces both, if not the usual one. */
  tracing?: string
  /** More variables for both. */
  variables?: Record<string, string>
  /** Asked at each start: the program of another release, instead of this checkout's. */
  program?: () => Program | undefined
}

/** What another release starts as a service. */
export interface Program {
  main: string
  tracing: string
}

/** Both services as real processes, ready, on databases, a queue and ports of their own. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const queueName = options.queueName ?? `queue-${randomUUID()}`
  const [products, notifications] = await Promise.all([
    createService('product-service', queueName, options),
    createService('notification-service', queueName, options),
  ])
  const stop = async () => void (await Promise.all([products.stop(), notifications.stop()]))
  try {
    await Promise.all([products.start(), notifications.start()])
  } catch (error) {
    await stop()
    throw error
  }
  return { products, notifications, stop }
}

/** One service of a stack, not yet started. */
export async function createService(name: ServiceName, queueName: string, options: StackOptions): Promise<Service> {
  const [httpPort, metricsPort] = await Promise.all([freePort(), freePort()])
  const databaseUrl = options.databaseUrl ?? (await freshDatabase(options.postgresUrl))
  const metricsUrl = `http://127.0.0.1:${metricsPort}`
  const main = options.mains?.[name]
  const log: LogLine[] = []
  let part: Part | undefined

  return {
    url: `http://127.0.0.1:${httpPort}`,
    metricsUrl,
    databaseUrl,
    log,
    async start() {
      if (part && !isGone(part.process)) throw new Error(`${name} is running already`)
      const program = options.program?.()
      const usualMain = main === undefined ? {} : { main }
      const usualTracing = options.tracing === undefined ? {} : { tracing: options.tracing }
      part = startService(name, {
        databaseUrl,
        sqsEndpoint: options.sqsEndpoint,
        queueName,
        httpPort,
        metricsPort,
        logLevel: 'info',
        // Another release has another document.
        preload: program ? [] : [answersAreDescribed],
        onLine: (line) => log.push(parse(line)),
        ...(program ?? { ...usualMain, ...usualTracing }),
        ...(options.variables && { variables: options.variables }),
      })
      await untilReady(part, metricsPort).catch((error: Error) => {
        throw new Error(`${error.message}; its log:\n${log.map((line) => JSON.stringify(line)).join('\n')}`)
      })
    },
    async stop() {
      await part?.stop()
    },
    async kill() {
      part?.kill()
      await part?.stop()
    },
    async metric(name) {
      return sumOf(await (await fetch(`${metricsUrl}/metrics`)).text(), name)
    },
  }
}

function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { msg: line }
  }
}

function sumOf(metrics: string, name: string): number | undefined {
  const samples = metrics.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  if (samples.length === 0) return undefined
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
