/** `postgres://host:port/database`: the part of a connection string that may be shown. */
export function describeDatabase(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  return `postgres://${url.host}${url.pathname}`
}
