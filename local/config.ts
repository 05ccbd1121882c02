import { resolve } from 'node:path'
import { oneOf, queueName, readConfig } from '@product-events/process'
import { logLevels } from '@product-events/telemetry'
import type { Program } from '@product-events/terminal'

/** What `npm start` can be told, all of it through the environment: each variable, its default, and what it names. */
export const variables = {
  CONSOLE_PORT: { default: 8084, names: 'the console' },
  PRODUCT_SERVICE_PORT: { default: 8080, names: "product-service's API" },
  NOTIFICATION_SERVICE_PORT: { default: 8081, names: "notification-service's API" },
  PRODUCT_SERVICE_METRICS_PORT: { default: 8082, names: "product-service's metrics and health" },
  NOTIFICATION_SERVICE_METRICS_PORT: { default: 8083, names: "notification-service's metrics and health" },
  POSTGRES_PORT: { default: 5432, names: 'PostgreSQL' },
  SQS_PORT: { default: 4566, names: 'SQS' },
} as const

export type PortVariable = keyof typeof variables
export const portVariables = Object.keys(variables) as PortVariable[]

export interface StartConfig {
  ports: Record<PortVariable, number>
  dataDir: string
  queueName: string
  logLevel: string
  /** The variables of OpenTelemetry, for the services. */
  tracing: Record<string, string>
}

const help = `Ctrl-C stops everything; pressed twice, at once. Environment, with defaults:

${portVariables.map((name) => helpLine(name, variables[name].default, `port of ${variables[name].names}`)).join('\n')}
${helpLine('SQS_QUEUE_NAME', 'product-notifications', 'a name ending in .fifo makes a FIFO queue')}
${helpLine('DATA_DIR', '.data', 'the data of PostgreSQL and SQS; delete it to begin with nothing')}
${helpLine('OTEL_EXPORTER_OTLP_ENDPOINT', 'none', 'where traces go, such as http://127.0.0.1:4318')}
${helpLine('LOG_LEVEL', 'info', `of the logs: ${logLevels.join(', ')}`)}`

export const program = {
  name: 'npm start',
  version: '1.0.0',
  summary: 'the whole system on this machine, with an embedded PostgreSQL and an embedded SQS',
  more: help,
  options: {},
} as const satisfies Program

/** Reads the environment. Throws an error with the name of the variable and the expected value. */
export function readStartConfig(env: Record<string, string | undefined>): StartConfig {
  const ports = Object.fromEntries(portVariables.map((name) => [name, port(env, name)])) as StartConfig['ports']
  const taken = new Map<number, PortVariable>()
  for (const name of portVariables) {
    const other = taken.get(ports[name])
    if (other) throw new Error(`${other} and ${name} are both ${ports[name]}: each needs a port of its own`)
    taken.set(ports[name], name)
  }
  // Told now, not by each service once PostgreSQL has been made.
  const { SQS_QUEUE_NAME, LOG_LEVEL } = readConfig(env, {
    SQS_QUEUE_NAME: queueName,
    LOG_LEVEL: oneOf(logLevels, 'info'),
  })
  return {
    ports,
    dataDir: resolve(env.DATA_DIR || '.data'),
    queueName: SQS_QUEUE_NAME,
    logLevel: LOG_LEVEL,
    tracing: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value && name.startsWith('OTEL_') ? [[name, value]] : [])),
    ),
  }
}

/** The ports of one service. */
export function portsOf(
  { ports }: StartConfig,
  name: 'product-service' | 'notification-service',
): { http: number; metrics: number } {
  return name === 'product-service'
    ? { http: ports.PRODUCT_SERVICE_PORT, metrics: ports.PRODUCT_SERVICE_METRICS_PORT }
    : { http: ports.NOTIFICATION_SERVICE_PORT, metrics: ports.NOTIFICATION_SERVICE_METRICS_PORT }
}

function port(env: Record<string, string | undefined>, name: PortVariable): number {
  const text = env[name] || String(variables[name].default)
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > 65_535)
    throw new Error(`${name} is "${text}": expected a port, 1 to 65535`)
  return number
}

function helpLine(name: string, fallback: string | number, meaning: string): string {
  return `  ${name.padEnd(34)} ${String(fallback).padEnd(22)} ${meaning}`
}
