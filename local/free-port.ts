import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below what the systems hand out for outgoing connections (from 32768 on Linux, from 49152 elsewhere). A port out of
 * that range, free a moment ago, may be taken by any client's connection before a server listens on it.
 */
const FIRST_PORT = 10_000
const LAST_PORT = 32_000

/** A TCP port of 127.0.0.1 that is free, and that no other caller gets, in any process, while this process runs. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    if ((await reservePort(port)) && (await portIsFree(port))) return port
  }
}

/**
 * Whether this process is the first to reserve the port. The UDP port of the same number stands for the reservation:
 * nobody here listens there, no two processes can bind it, and the system frees it with the process, however that ends.
 */
export async function reservePort(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1').unref()
  try {
    await once(socket, 'listening')
    return true
  } catch {
    return false
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
