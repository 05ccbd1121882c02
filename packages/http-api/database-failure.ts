/**
 * SQLSTATEs that say nothing about the request and everything about the server: the same request may succeed later.
 * 08 connection, 53 out of a resource (53100 disk full, 53300 too many connections), 57P0x shutting down or starting,
 * 57014 cut off by statement_timeout, 58 trouble of the machine (58030 disk), 25006 read-only (a standby, or a disk that filled up), 25P03
 * idle too long inside a transaction, 40001 and 40P01 lost against another transaction, 55P03 lock not to be had,
 * 3D000 the database does not exist (yet).
 */
const TEMPORARY_SQLSTATE = /^(08...|53...|57P0.|57014|58...|25006|25P03|40001|40P01|55P03|3D000)$/
const NETWORK_CODES =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN)$/
/** `pg` gives these no code. */
const DRIVER_MESSAGES =
  /^(Query read timeout|timeout exceeded when trying to connect|timeout expired|Connection terminated|Connection ended|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/

/**
 * Why the database can't be used just now, or undefined when `error` means anything else. Such an error is answered
 * with 503: nobody's input is to blame, and trying again is right.
 */
export function databaseFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (NETWORK_CODES.test(code) || TEMPORARY_SQLSTATE.test(code)))
    return error.message === '' ? code : `${error.message} (${code})`
  return DRIVER_MESSAGES.test(error.message) ? error.message : undefined
}
