import { join } from 'node:path'
import { type Part } from './child.ts'
import { portsOf, type StartConfig } from './config.ts'
import { type LocalPostgres } from './postgres.ts'
import { serviceNames } from './service.ts'
import { type End } from './supervise.ts'

/** What runs where, and what to try. */
export function summary(config: StartConfig, postgres: LocalPostgres): string {
  const rows = serviceNames.map((name) => {
    const { http, metrics } = portsOf(config, name)
    return [name, `http://127.0.0.1:${http}`, `metrics and health: http://127.0.0.1:${metrics}/metrics, /health/ready`]
  })
  rows.unshift([
    'console',
    `http://127.0.0.1:${config.ports.CONSOLE_PORT}`,
    'watch an event travel, find it, try an outage',
  ])
  // The log of a terminal is often kept: the password stays in its file.
  const { host } = new URL(postgres.url)
  rows.push([
    'PostgreSQL',
    `postgres://postgres@${host}`,
    `databases products and notifications, password in ${join(config.dataDir, 'postgres-password')}`,
  ])
  rows.push([
    'SQS',
    `http://127.0.0.1:${config.ports.SQS_PORT}`,
    `queue ${config.queueName}, data in ${join(config.dataDir, 'sqs')}`,
  ])
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const table = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  const { PRODUCT_SERVICE_PORT: port } = config.ports
  return `${table.join('\n')}

Ready in ${(performance.now() / 1000).toFixed(1)} s. Try, in another terminal:

  curl -i http://127.0.0.1:${port}/products -H 'content-type: application/json' -d '{"name":"Green tea","price":4.5}'
  ${port === 8080 ? '' : `BASE_URL=http://127.0.0.1:${port} `}sh test_api.sh

Ctrl-C stops everything and keeps the data. The logs of both services follow.
`
}

/** Why everything stops. */
export function farewell(end: End): string {
  if (end.kind === 'signal') return 'Stopping.'
  if (end.kind === 'failed') return end.error.message
  return `${obituary(end.part)}; stopping the rest.`
}

function obituary(part: Part): string {
  const { exitCode, signalCode } = part.process
  // What the services said is in their logs above.
  const words = serviceNames.some((service) => service === part.name) ? '' : `${part.lastWords()}\n`
  return `${words}${part.name} ${signalCode === null ? `ended with code ${exitCode}` : `was ended by ${signalCode}`}`
}
