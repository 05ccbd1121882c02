import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'

const TYPES = { 1: 'A', 28: 'AAAA' } as const

/**
 * A name server over UDP. `answer` gives the addresses of a name for a type, `silent` to say nothing; a name without
 * addresses does not exist.
 */
export async function nameServer(answer: (name: string, type: 'A' | 'AAAA') => string[] | 'silent') {
  const asked: string[] = []
  const socket = createSocket('udp4', (query: Buffer, { port, address }: RemoteInfo) => {
    const { name, end } = questionOf(query)
    const type = TYPES[query.readUInt16BE(end) as 1 | 28]
    asked.push(name)
    const addresses = answer(name, type)
    if (addresses !== 'silent') socket.send(answerTo(query, end + 4, addresses), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: async (): Promise<void> => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** The name in the question, which begins behind the header of twelve bytes. */
function questionOf(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function answerTo(query: Buffer, end: number, addresses: string[]): Buffer {
  const header = Buffer.from(query.subarray(0, 12))
  // A response, recursion available; NXDOMAIN without addresses.
  header.writeUInt16BE(0x8180 | (addresses.length === 0 ? 3 : 0), 2)
  header.writeUInt16BE(addresses.length, 6)
  header.writeUInt32BE(0, 8)
  const type = query.readUInt16BE(end - 4)
  const records = addresses.map((address) => {
    const data = type === 1 ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address)
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(60, 6)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  return Buffer.concat([header, query.subarray(12, end), ...records])
}

function ipv6Bytes(address: string): Buffer {
  const [left = '', right = ''] = address
    .split('::')
    .map((half) => half.split(':').filter(Boolean))
    .map((half) => half.map((group) => group.padStart(4, '0')).join(''))
  return Buffer.from(left.padEnd(32 - right.length, '0') + right, 'hex')
}
