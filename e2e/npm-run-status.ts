import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Stack } from './stack.ts'

/**
 * What it shows when nothing is wrong: a number wherever a metric is told of, so that none is called otherwise by the
 * services.
 */
export const ALL_WELL =
  /1 request +[\d.]+ +\d[^]*2 commit +[\d.]+ +\d[^]*3 relay +[\d.]+ +\d+ +\S+ ms .*64 lanes[^]*4 queue +– +\d[^]*5 receive +[\d.]+ .* receiver[^]*6 store +[\d.]+[^]*Nothing is wrong\./

/** What `npm run status` shows of both services, and its exit code. */
export async function npmRunStatus({
  products,
  notifications,
}: Stack): Promise<{ code: number | null; screen: string }> {
  const where = ['--product-service', products.metricsUrl, '--notification-service', notifications.metricsUrl]
  const child = spawn(process.execPath, [`${import.meta.dirname}/../operations/status.ts`, ...where])
  const [screen] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code: child.exitCode, screen }
}
