import type { ClientConfig } from 'pg'
import type { Listen } from './listen.ts'

/**
 * For the option `listen` of a relay: listens on a connection of its own, made with `config` as `new pg.Client(config)`
 * makes one. Needs the package `pg`. Behind a transaction pooler it may be the pooler's address: the relay notices that no
 * notification arrives, and polls.
 */
export function pgListen(config: ClientConfig): Listen {
  return async (channel, heard) => {
    // Imported when it is needed, so that the other adapters work where `pg` is not installed.
    const { pgListen } = await import('@product-events/wake-ups/pg')
    return pgListen(config)(channel, heard)
  }
}
