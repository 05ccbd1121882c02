/** A part of a moving picture: where it lies, and its pixels as a WebP file of one picture. */
export interface Frame {
  x: number
  y: number
  width: number
  height: number
  webp: Buffer
}

const ANIMATED = 0x02
/** Pixels of the frame replace those below it. */
const DO_NOT_BLEND = 0x02
/** Of a file before its first chunk: "RIFF", its size, "WEBP". */
const FILE_HEADER = 12

/**
 * Puts pictures together to one that moves and repeats for ever, each shown for `showMs`.
 * https://developers.google.com/speed/webp/docs/riff_container
 */
export function toWebp(size: { width: number; height: number }, frames: readonly Frame[], showMs: number): Buffer {
  const chunks = [
    chunk('VP8X', bytes([ANIMATED, 1], [0, 3], [size.width - 1, 3], [size.height - 1, 3])),
    chunk('ANIM', bytes([0, 4], [0, 2])),
    ...frames.map(({ x, y, width, height, webp }) => {
      const place = bytes([x / 2, 3], [y / 2, 3], [width - 1, 3], [height - 1, 3], [showMs, 3], [DO_NOT_BLEND, 1])
      return chunk('ANMF', Buffer.concat([place, pixelsOf(webp)]))
    }),
  ]
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  return Buffer.concat([Buffer.from('RIFF'), bytes([body.length, 4]), body])
}

/** The chunk with the picture; a part of a film may have no header and no colour profile of its own. */
function pixelsOf(webp: Buffer): Buffer {
  for (let start = FILE_HEADER; start < webp.length;) {
    const length = webp.readUInt32LE(start + 4)
    const end = start + 8 + length + (length % 2)
    if (/^VP8[ L]$/.test(webp.toString('latin1', start, start + 4))) return webp.subarray(start, end)
    start = end
  }
  throw new Error('the browser made no WebP')
}

function chunk(name: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(name), bytes([data.length, 4]), data, Buffer.alloc(data.length % 2)])
}

/** Numbers as little-endian bytes, each with how many it takes. */
function bytes(...numbers: [value: number, length: number][]): Buffer {
  return Buffer.concat(
    numbers.map(([value, length]) => {
      const buffer = Buffer.alloc(length)
      buffer.writeUIntLE(value, 0, length)
      return buffer
    }),
  )
}
