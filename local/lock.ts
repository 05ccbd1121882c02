import { createConnection, createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fingerprint } from './postgres-binaries.ts'

/**
 * Takes `dataDir` for this process until it ends, however it ends: a socket, which the system closes, where a file
 * would stay behind. Rejects, naming the process that has it, when it is taken.
 */
export async function lock(dataDir: string): Promise<Server> {
  const address = addressOf(dataDir)
  const owner = await whoListens(address)
  if (owner !== undefined) throw new Error(`npm start runs already (process ${owner}) on ${dataDir}`)
  // Only where the socket is a file can one be left over.
  if (address.startsWith('/')) await rm(address, { force: true })
  const server = createServer((socket) => socket.on('error', () => {}).end(String(process.pid)))
  server.listen(address).unref()
  await once(server, 'listening')
  return server
}

async function whoListens(address: string): Promise<string | undefined> {
  const socket = createConnection(address)
  try {
    await once(socket, 'connect')
    return await text(socket)
  } catch {
    return undefined
  }
}

/** Linux has sockets without a file, Windows has named pipes. */
function addressOf(dataDir: string): string {
  const name = `product-events-${fingerprint(dataDir)}`
  if (process.platform === 'linux') return `\0${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `/tmp/${name}.sock`
}
