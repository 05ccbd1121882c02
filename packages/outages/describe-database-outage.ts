import { databaseOutage } from './database-errors.ts'

/** The error of a connection that took too long names neither the server nor the reason for the wait. */
const TIMEOUTS =
  /^(timeout expired|timeout exceeded when trying to connect|Connection terminated due to connection timeout)/

/**
 * Says in one sentence why the database at `where` (`host:port/name`, without a password) can't be used, for a person;
 * undefined when `error` is another failure.
 */
export function describeDatabaseOutage(error: unknown, where: string): string | undefined {
  const outage = databaseOutage(error)
  if (outage === undefined) return undefined
  const { code = '', message } = error as { code?: string; message: string }
  if (code === 'ECONNREFUSED') return `PostgreSQL at ${where} refused the connection (${code}). Is it running?`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The host of ${where} has no address (${code}).`
  if (code === '3D000') return `PostgreSQL at ${where}: ${message} (${code}). Start the services once, or create it.`
  if (code.startsWith('28')) return `PostgreSQL at ${where} refused the login: ${message} (${code}).`
  if (code === 'ETIMEDOUT' || TIMEOUTS.test(message))
    return `PostgreSQL at ${where} does not answer (${message || code}). Is it frozen, or a firewall between?`
  if (message === 'Query read timeout') return `PostgreSQL at ${where} took too long over a query (${message}).`
  return `PostgreSQL at ${where} cannot be used: ${outage}.`
}
