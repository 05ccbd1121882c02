import { integer, oneOf, optional, readConfig, secretUrl } from '@product-events/process'
import { isServer, type Program, programs, servers } from './programs.ts'

/** What an image runs. Throws a `StartError` that lists the programs when `SERVICE` names none of them. */
export function readImageConfig(env: NodeJS.ProcessEnv): { program: Program } {
  const { SERVICE } = readConfig(env, {
    SERVICE: oneOf(Object.keys(programs) as Program[]),
  })
  return { program: SERVICE }
}

/** The port on which the image's program has its health; undefined for a command, which has none. */
export function readHealthConfig(env: NodeJS.ProcessEnv): { port: number | undefined } {
  const { program } = readImageConfig(env)
  if (!isServer(program)) return { port: undefined }
  const port = optional(integer({ min: 1, max: 65_535, unit: '' }))
  const { METRICS_PORT, HTTP_PORT } = readConfig(env, { METRICS_PORT: port, HTTP_PORT: port })
  // The console has its health where its page is.
  return { port: (program === 'console' ? HTTP_PORT : METRICS_PORT) ?? servers[program].healthPort }
}

/** The server on which databases and users are made, as its administrator. */
export function readRolesConfig(env: NodeJS.ProcessEnv): { databaseUrl: string } {
  const { DATABASE_URL } = readConfig(env, {
    DATABASE_URL: secretUrl(['postgres', 'postgresql'], 'postgres://postgres:password@host:5432/postgres'),
  })
  return { databaseUrl: DATABASE_URL }
}
