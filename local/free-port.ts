import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below what the systems hand out for outgoing connections (from 32768 on Linux, from 49152 elsewhere). A port out of
 * that range, free a moment ago, may be taken by any client's connection before a server listens on it.
 */
const FIRST_PORT = 10_000
const LAST_PORT = 32_000

/** A port of 127.0.0.1 that was free a moment ago, and that nothing is likely to take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    if (await portIsFree(port)) return port
  }
}

/** Whether 127.0.0.1 would let us listen there. */
export async function portIsFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
