/** The environment of the command `outbox`. */
export function readCommandConfig(env: NodeJS.ProcessEnv): { databaseUrl: string } {
  const { DATABASE_URL } = env
  if (!DATABASE_URL) throw new Error('DATABASE_URL is missing: the database that has the outbox')
  return { databaseUrl: DATABASE_URL }
}
