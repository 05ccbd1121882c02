/**
 * A process of its own, so that its work is not measured as the service's: creates products over many connections, each
 * of which asks again as soon as it has an answer, whatever that is. Tells its parent what was answered.
 */
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  port: number
  connections: number
  seconds: number
}

export interface LoadResult {
  /** Answers by status; `none` for connections that ended without one. */
  counts: Record<string, number>
  /** Of each product that was answered with 201. */
  ids: string[]
  /** Milliseconds from a request to its 201, smallest first. */
  accepted: number[]
}

const body = JSON.stringify({ name: 'Load', description: 'x'.repeat(100), price: 12.5 })
const request = Buffer.from(
  `POST /products HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
)
const result: LoadResult = { counts: {}, ids: [], accepted: [] }

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions
const until = performance.now() + options.seconds * 1000
await Promise.all(Array.from({ length: options.connections }, () => keepAsking(options.port)))
result.accepted.sort((a, b) => a - b)
process.send?.(result, () => process.connected && process.disconnect())

async function keepAsking(port: number): Promise<void> {
  while (performance.now() < until) await useConnection(connect(port, '127.0.0.1'))
}

/** Resolves when the time is over or the connection is. */
function useConnection(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let sentAt = 0
    let text = ''
    const ask = () => {
      if (performance.now() >= until) {
        socket.end()
        return
      }
      text = ''
      sentAt = performance.now()
      socket.write(request)
    }
    socket.setEncoding('latin1')
    socket.on('connect', ask)
    socket.on('error', () => count('none'))
    socket.on('close', () => resolve())
    socket.on('data', (chunk: string) => {
      text += chunk
      if (!isWhole(text)) return
      const status = text.slice(9, 12)
      count(status)
      if (status === '201') {
        result.accepted.push(performance.now() - sentAt)
        result.ids.push(/"id":"([0-9a-f-]{36})"/.exec(text)?.[1] ?? 'no id')
      }
      ask()
    })
  })
}

function count(status: string): void {
  result.counts[status] = (result.counts[status] ?? 0) + 1
}

/** Every answer of the service has its length. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return text.length >= end + 4 + Number(length)
}
