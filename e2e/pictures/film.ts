import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { type Frame, toWebp } from './webp.ts'

const CONSOLE = 'http://127.0.0.1:8084'
const SIZE = { width: 1180, height: 620 }
/** From a frame to the next, in the run and in the film: it runs at twice the speed. */
const TAKE_EVERY_MS = 860
const SHOW_MS = 400
/** SQS is away for 20 s, and what waited leaves within a moment. */
const FRAMES = 34
const TRAFFIC = 14
const QUALITY = 0.6

/** SQS away, the heap grows, SQS back, it runs off: the page Path of the running stack, light and dark. */
export async function filmOutage(browser: Browser): Promise<Record<'light' | 'dark', Buffer>> {
  await using opened = new AsyncDisposableStack()
  const open = async (colorScheme: 'light' | 'dark'): Promise<Page> => {
    const context = await browser.newContext({ viewport: SIZE, colorScheme })
    opened.defer(() => context.close())
    const page = await context.newPage()
    await page.goto(CONSOLE)
    return page
  }
  const pages = [await open('light'), await open('dark')] as const
  await play({ traffic: TRAFFIC })
  for (const page of pages) await page.getByRole('heading', { name: 'Every event arrives.' }).waitFor()
  // A chart with something in it.
  await sleep(15_000)
  const shots: [string[], string[]] = [[], []]
  for (let frame = 0; frame < FRAMES; frame++) {
    if (frame === 3) await play({ fault: 'sqs-away' })
    const next = sleep(TAKE_EVERY_MS)
    await Promise.all(
      pages.map(async (page, index) => shots[index]?.push((await page.screenshot()).toString('base64'))),
    )
    await next
  }
  await play({ traffic: 0 })
  const encoder = await browser.newPage()
  opened.defer(() => encoder.close())
  return { light: await encode(encoder, shots[0]), dark: await encode(encoder, shots[1]) }
}

async function play(what: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${CONSOLE}/api/trial`, { method: 'POST', headers, body: JSON.stringify(what) })
  if (!response.ok) throw new Error(`the console answered ${response.status} to ${JSON.stringify(what)}`)
}

async function encode(page: Page, shots: string[]): Promise<Buffer> {
  const frames = (await page.evaluate(`(${ENCODE})(${JSON.stringify(shots)}, ${QUALITY})`)) as (Omit<Frame, 'webp'> & {
    webp: string
  })[]
  return toWebp(
    SIZE,
    frames.map((frame) => ({ ...frame, webp: Buffer.from(frame.webp, 'base64') })),
    SHOW_MS,
  )
}

/** Runs in the browser: of each picture the part that differs from the one before, as WebP. Offsets must be even. */
const ENCODE = `async (shots, quality) => {
  const frames = []
  let before
  for (const shot of shots) {
    const bytes = Uint8Array.from(atob(shot), (character) => character.charCodeAt(0))
    const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const { width, height } = picture
    const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false })
    context.drawImage(picture, 0, 0)
    const { data } = context.getImageData(0, 0, width, height)
    const pixels = new Uint32Array(data.buffer)
    let [left, top, right, bottom] = before ? [width, height, 0, 0] : [0, 0, width, height]
    if (before) pixels.forEach((pixel, index) => {
      if (pixel === before[index]) return
      const [x, y] = [index % width, Math.floor(index / width)]
      left = Math.min(left, x)
      right = Math.max(right, x + 1)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y + 1)
    })
    before = pixels
    if (right <= left) [left, top, right, bottom] = [0, 0, 2, 2]
    const [x, y] = [left - (left % 2), top - (top % 2)]
    const part = new OffscreenCanvas(right - x, bottom - y)
    part.getContext('2d', { alpha: false }).drawImage(picture, -x, -y)
    const encoded = new Uint8Array(await (await part.convertToBlob({ type: 'image/webp', quality })).arrayBuffer())
    let text = ''
    for (const byte of encoded) text += String.fromCharCode(byte)
    frames.push({ x, y, width: right - x, height: bottom - y, webp: btoa(text) })
  }
  return frames
}`
