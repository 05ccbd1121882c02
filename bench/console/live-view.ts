import type { Browser } from 'playwright-core'
import { heapMiB } from '../processes/memory.ts'
import type { Figures } from '../scenario.ts'

/** An hour of live view: the poller looks once a second. */
export const HOUR = 3_600
/** Between two readings of the heap. */
const STEP = 50

/** In the page, the stream becomes one that gives the next snapshot as soon as the last one is painted. */
const FAST_STREAM = `const ask = fetch
globalThis.looks = 0
globalThis.most = 0
globalThis.fetch = (path, init) => {
  if (!path.endsWith('/stream')) return ask(path, init)
  const body = new ReadableStream({
    async pull(controller) {
      while (looks >= most) await new Promise((resolve) => setTimeout(resolve, 10))
      const snapshot = await (await ask('./api/snapshot')).text()
      controller.enqueue(new TextEncoder().encode('data: ' + snapshot + '\\n\\n'))
      await new Promise(requestAnimationFrame)
      looks++
    },
  }, { highWaterMark: 0 })
  return Promise.resolve(new Response(body))
}`

/**
 * `looks` looks of the poller and as many snapshots in a page, one right after the other. The memory of both in the
 * second sixth, when all code is compiled, and in the last: the least seen there, so that garbage does not count.
 */
export async function liveView(browser: Browser, url: string, looks: number): Promise<Figures> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } })
  try {
    const page = await context.newPage()
    await page.addInitScript(FAST_STREAM)
    await page.goto(url)
    const devtools = await context.newCDPSession(page)
    const pageMiB = async () => {
      await devtools.send('HeapProfiler.collectGarbage')
      return ((await devtools.send('Runtime.getHeapUsage')) as { usedSize: number }).usedSize / 2 ** 20
    }
    const seen: { console: number; page: number }[] = []
    for (let done = STEP; done <= looks; done += STEP) {
      await page.evaluate(
        `(async () => { most = ${done}; while (looks < most) await new Promise((resolve) => setTimeout(resolve, 10)) })()`,
      )
      seen.push({ console: await heapMiB(`${url}metrics`), page: await pageMiB() })
    }
    const sixth = Math.max(1, Math.floor(seen.length / 6))
    const least = (part: typeof seen, of: 'console' | 'page') => Math.min(...part.map((one) => one[of]))
    const [early, late] = [seen.slice(sixth, 2 * sixth), seen.slice(-sixth)]
    return {
      'console MiB early': least(early, 'console'),
      'console MiB late': least(late, 'console'),
      'page MiB early': least(early, 'page'),
      'page MiB late': least(late, 'page'),
    }
  } finally {
    await context.close()
  }
}
