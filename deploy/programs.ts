/**
 * What an image can run, by the name that `SERVICE` takes, and the file that each program starts from. A server has
 * health on a port, and is traced; a command does its work and ends.
 */
export const servers = {
  'product-service': { main: 'services/product-service/main.ts', healthPort: 8082 },
  relay: { main: 'services/product-service/relay-main.ts', healthPort: 8082 },
  'notification-service': { main: 'services/notification-service/main.ts', healthPort: 8083 },
  console: { main: 'operations/console/main.ts', healthPort: 8084 },
} as const

export const commands = {
  dlq: 'operations/dlq.ts',
  find: 'operations/find.ts',
  inbox: 'operations/inbox.ts',
  outbox: 'operations/outbox.ts',
  status: 'operations/status.ts',
  migrate: 'operations/migrate.ts',
  roles: 'deploy/postgres/roles-main.ts',
} as const

/**
 * Files of an image beside the programs: its entry point, its HEALTHCHECK, and the module that is loaded before a
 * server.
 */
export const imageParts = {
  start: 'deploy/image/start.ts',
  health: 'deploy/image/health.ts',
  tracing: 'packages/telemetry/tracing.ts',
} as const

export type Server = keyof typeof servers
export type Program = Server | keyof typeof commands

export const programs: Record<Program, string> = {
  ...(Object.fromEntries(Object.entries(servers).map(([name, { main }]) => [name, main])) as Record<Server, string>),
  ...commands,
}

export function isServer(program: Program): program is Server {
  return program in servers
}
