/**
 * SQLSTATEs that are the database's failure, whatever the statement says: the same statement may succeed later.
 * 08 connection, 28 login (a password that just changed), 53 out of a resource (53100 disk full, 53300 too many
 * connections), 57014 cut off by a timeout, 57P0x shutting down or starting, 58 trouble of the machine, 25006
 * read-only, 25P03 and 25P04 idle or too long in a transaction, 40001 and 40P01 lost against another transaction, 55P03
 * lock not available, 3D000 the database does not exist (yet).
 */
const OUTAGE_SQLSTATE = /^(08...|28...|53...|57P..|57014|58...|25006|25P03|25P04|40001|40P01|55P03|3D000)$/
const NETWORK_CODES =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|EMFILE|ENFILE|ENOENT)$/
/** `pg` and `pg-pool` give these errors no code. */
const DRIVER_MESSAGES =
  /^(Query read timeout|timeout exceeded when trying to connect|timeout expired|Connection terminated|Connection ended|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|The server does not support SSL|There was an error establishing an SSL|Client network socket disconnected)/

/** SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html. Codes of the system have no digit. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/

/**
 * The database's own error inside one that a library made of it: the message of that has the statement and its values,
 * which may be secret. Any other error is returned as it is.
 */
export function databaseErrorOf(error: Error): Error {
  for (let { cause } = error; cause instanceof Error; { cause } = cause) {
    const { code } = cause as { code?: unknown }
    if ((typeof code === 'string' && SQLSTATE.test(code)) || DRIVER_MESSAGES.test(cause.message)) return cause
  }
  return error
}

/**
 * Why the database can't be used just now, or undefined when the error means anything else. Such an error is no fault
 * of the request, event or message at hand: an API answers 503, a relay or consumer backs off and keeps the item.
 */
export function databaseOutage(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined
  const error = databaseErrorOf(thrown)
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (NETWORK_CODES.test(code) || OUTAGE_SQLSTATE.test(code)))
    return error.message === '' ? code : `${error.message} (${code})`
  return DRIVER_MESSAGES.test(error.message) ? error.message : undefined
}
