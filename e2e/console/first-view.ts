import type { Browser } from 'playwright-core'

/** What a browser without a cache sees of the page: milliseconds since it asked for it, and bytes as they are sent. */
export interface FirstView {
  paint: number
  /** Until the seven steps with their figures are painted. */
  data: number
  script: number
  bytes: number
  requests: number
}

/** Runs before the page's own scripts: marks the frame after the one that has the seven steps. */
const MARK_DATA = `new MutationObserver((_, observer) => {
  if (!document.querySelector('.line')) return
  observer.disconnect()
  requestAnimationFrame(() => setTimeout(() => performance.mark('data')))
}).observe(document, { childList: true, subtree: true })`

/** Milliseconds from asking for the page to its first content; a paint without content may come before. */
export const PAINT = `new Promise((resolve) => new PerformanceObserver((list) => {
  for (const { startTime } of list.getEntriesByName('first-contentful-paint')) resolve(startTime)
}).observe({ type: 'paint', buffered: true }))`

const READ = `(async () => {
  await new Promise((resolve) => new PerformanceObserver(resolve).observe({ type: 'mark', buffered: true }))
  const [page] = performance.getEntriesByType('navigation')
  const files = performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/api/'))
  const size = (entries) => entries.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)
  return {
    paint: await ${PAINT},
    data: performance.getEntriesByName('data')[0].startTime,
    script: size(files.filter(({ name }) => /[.][jt]s$/.test(name))),
    bytes: size([page, ...files]),
    requests: files.length + 1,
  }
})()`

/** Opens `url` in a profile of its own and waits for its data. */
export async function firstView(browser: Browser, url: string): Promise<FirstView> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } })
  try {
    const page = await context.newPage()
    await page.addInitScript(MARK_DATA)
    await page.goto(url)
    return (await page.evaluate(READ)) as FirstView
  } finally {
    await context.close()
  }
}

/** The promised sizes. Times also depend on the machine: `npm run bench -- first-view` measures them. */
const MOST = { script: 20 * 1024, bytes: 30 * 1024, requests: 4 } satisfies Partial<FirstView>

/** What exceeds its bound in a first view, such as "script 22295, at most 20480". */
export async function missedBudgets(browser: Browser, url: string): Promise<string[]> {
  const view = await firstView(browser, url)
  return Object.entries(MOST).flatMap(([name, most]) => {
    const seen = view[name as keyof typeof MOST]
    return seen > most ? [`${name} ${seen}, at most ${most}`] : []
  })
}
