/**
 * The URL of the database to use on the server that `databaseUrl` names: its own if it names one, or `fallback`.
 * So one DATABASE_URL without a database name serves both services, each in its own database.
 */
export function withDatabaseName(databaseUrl: string, fallback: string): string {
  const url = new URL(databaseUrl)
  if (url.pathname === '' || url.pathname === '/') url.pathname = `/${fallback}`
  return url.href
}
