import { connect as connectSocket, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseOutage } from '@product-events/outages'
import pg from 'pg'
import { isRefusedLogin } from './credentials.ts'

/** A secret reaches the file and the database within moments of each other, in either order. */
const RETRY_LOGIN_FOR_MS = 1_500
const RETRY_LOGIN_EVERY_MS = 100

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: unknown) => void,
) => void

/**
 * A pool whose new connections read the password again when the server refuses it, for a second and a half: so a
 * password that is just being rotated costs a request time, not its answer. It keeps the connection of a statement that
 * the server refused: the pool of `pg` closes it, and opening another takes longer than ten statements.
 */
export class RotatingPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>
  override connect(connected: Connected): void
  override connect(connected?: Connected): Promise<pg.PoolClient> | void {
    const login = this.login()
    if (connected === undefined) return login
    login.then(
      (client) => connected(undefined, client, keepAfterRefusal(client)),
      (error: Error) => connected(error, undefined, () => {}),
    )
  }

  private async login(): Promise<pg.PoolClient> {
    const giveUpAt = performance.now() + RETRY_LOGIN_FOR_MS
    for (;;) {
      try {
        return await super.connect()
      } catch (error) {
        if (!isRefusedLogin(error) || performance.now() >= giveUpAt) throw error
      }
      await sleep(RETRY_LOGIN_EVERY_MS)
    }
  }
}

/** `query` of the pool calls this, or `client.release`, with the error of its statement. */
function keepAfterRefusal(client: pg.PoolClient): (error?: unknown) => void {
  const { release } = client
  client.release = (error) => {
    const isUsable = error instanceof pg.DatabaseError && databaseOutage(error) === undefined
    release(isUsable ? undefined : error)
  }
  return (error) => client.release(error as Error)
}

/** Every statement under way fails at once, and so does each one after it: for a process that must end. */
export function cutOff(pool: pg.Pool): void {
  // It waits for statements that may never be answered.
  void pool.end()
  const { _clients: sessions } = pool as unknown as { _clients: Session[] }
  for (const { connection } of sessions) connection.stream.destroy()
}

/** Of protocol 3.0: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const CANCEL_REQUEST_CODE = 80_877_102
const CANCEL_TIMEOUT_MS = 1_000

/** What `pg` knows of a connection and its types do not tell. */
interface Session {
  connection: { stream: Socket }
  host: string
  port: number
  processID: number | null
  secretKey: number
  _activeQuery: unknown
}

/**
 * Cancels the statement of each connection that is given up while the statement runs. Its caller was told that it
 * failed, so it must not commit later. Needs no `statement_timeout`, which poolers refuse in the startup packet.
 */
export function cancelAbandonedStatements(pool: pg.Pool): void {
  pool.on('release', (error, client) => {
    const { _activeQuery: statement, host, port, processID, secretKey } = client as unknown as Session
    if (error && statement && processID !== null) cancel({ host, port, processID, secretKey })
  })
}

function cancel({ host, port, processID, secretKey }: Omit<Session, '_activeQuery' | 'connection'>): void {
  const request = Buffer.alloc(16)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(CANCEL_REQUEST_CODE, 4)
  request.writeInt32BE(processID ?? 0, 8)
  request.writeInt32BE(secretKey, 12)
  const socket = host.startsWith('/') ? connectSocket(`${host}/.s.PGSQL.${port}`) : connectSocket(port, host)
  socket.setTimeout(CANCEL_TIMEOUT_MS, () => socket.destroy())
  // A server that does not answer will not commit either until it is back, and nothing more can be done here.
  socket.on('error', () => {})
  socket.end(request)
}
