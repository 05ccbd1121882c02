import pg from 'pg'
import type { Listen } from './listening.ts'

/** For the handshake, and for the answer to a statement. */
const TIMEOUT_MS = 3_000

/** Listens on a connection of its own, which `pg` makes with `config`. */
export function pgListen(config: pg.ClientConfig): Listen {
  return async (channel, { notification, lost }) => {
    const client = new pg.Client({
      keepAlive: true,
      ...config,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    })
    client.on('error', lost).on('end', lost)
    client.on('notification', ({ payload = '' }) => notification(payload))
    const end = () => void client.end().catch(() => {})
    try {
      await client.connect()
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`)
    } catch (error) {
      end()
      throw error
    }
    // A pooler keeps the session for other clients, which must not get notifications that they did not ask for.
    return () => void client.query('UNLISTEN *').then(end, end)
  }
}
