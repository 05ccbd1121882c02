import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, freshQueue, startSqs } from '@product-events/local'
import { fillQueue } from '../consume/fill.ts'
import { untilNoneLeft } from '../drain/drainer.ts'
import { fillPending } from '../drain/fill-events.ts'
import { load } from '../http/load.ts'
import { startServer } from '../http/server-process.ts'
import { heapMiB, residentMiB, tellsMemory } from '../processes/memory.ts'
import { type OurProcess, type OurProcessName, startOurs } from '../processes/ours.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

const CONNECTIONS = 64
const body = JSON.stringify({ name: 'Green tea', description: 'From the hills', price: 4.5 })

export const scenario: Scenario = {
  name: 'memory',
  title: 'what each process takes: idle, the most under load, and after it',
  chart: 'loaded RSS MiB',
  seconds: { prepare: 4, round: 36 },
  async open({ quick, dir }) {
    const settings = quick
      ? { settleMs: 200, seconds: 1, messages: 500, events: 500, connections: CONNECTIONS }
      : { settleMs: 1_000, seconds: 4, messages: 10_000, events: 20_000, connections: CONNECTIONS }
    const server = await startBenchServer(dir)
    const emulator = await startSqs({ port: await freePort() })
    const answer = `${dir}/answer.json`
    await writeFile(answer, body)
    const creations = (url: string) =>
      load({ url: `${url}/products`, connections: CONNECTIONS, seconds: settings.seconds, body })
    let databases = 0

    /** Idle is measured once a process has had time to collect what it took to start; the same after the work. */
    const measured = async (pid: number, heap: () => Promise<Figures>, work: () => Promise<unknown>) => {
      await sleep(settings.settleMs)
      const idle = { 'idle RSS MiB': (await residentMiB(pid)).now, ...(await heap()) }
      await work()
      const { most } = await residentMiB(pid)
      await sleep(settings.settleMs)
      return { ...idle, 'loaded RSS MiB': most, 'RSS after MiB': (await residentMiB(pid)).now }
    }
    type Work = (
      process: OurProcess,
      databaseUrl: string,
      fillWith: (messages: number) => Promise<unknown>,
    ) => Promise<unknown>
    const ours = (name: OurProcessName, doing: string, work: Work): Contestant => ({
      name: `${name}, ${doing}`,
      async round() {
        const databaseUrl = await server.createDatabase(`memory_${++databases}`)
        const { sqs, queue } = await freshQueue(emulator.endpoint)
        const process = await startOurs(name, { databaseUrl, sqsEndpoint: emulator.endpoint, queueName: queue.name })
        try {
          const heap = async () => ({ 'idle heap MiB': await heapMiB(process.metricsUrl) })
          return await measured(process.pid, heap, () =>
            work(process, databaseUrl, (messages) => fillQueue(sqs, messages, queue)),
          )
        } finally {
          await process.stop()
          sqs.destroy()
        }
      },
    })
    const contestants = [
      ours('product-service', 'creations', ({ url }) => creations(url)),
      ours('relay', 'a backlog', async (_, databaseUrl) => {
        await fillPending(databaseUrl, settings.events)
        await untilNoneLeft(databaseUrl, `SELECT count(*)::int AS left FROM events WHERE status = 'pending'`)
      }),
      ours('notification-service', 'a full queue', async (_, databaseUrl, fillWith) => {
        await fillWith(settings.messages)
        const left = `SELECT ${settings.messages} - count(*)::int AS left FROM notifications`
        await untilNoneLeft(databaseUrl, left)
      }),
      { name: 'Fastify without a database, the same creations', round: () => bare(answer, measured, creations) },
    ]
    return {
      contestants: tellsMemory ? contestants : [],
      skipped: tellsMemory ? [] : [{ name: 'all of it', reason: 'only Linux tells the memory of another process' }],
      settings: { ...settings, postgresql: server.settings, logLevel: 'info' },
      async close() {
        await emulator.stop()
        await server.close()
      },
    }
  },
}

async function bare(
  answer: string,
  measured: (pid: number, heap: () => Promise<Figures>, work: () => Promise<unknown>) => Promise<Figures>,
  creations: (url: string) => Promise<unknown>,
): Promise<Figures> {
  const port = await freePort()
  const program = `${import.meta.dirname}/../http/bare-fastify.ts`
  const readyUrl = `http://127.0.0.1:${port}/`
  const http = await startServer({ program, port, readyUrl, env: { ANSWER: answer }, log: 'ignore' })
  try {
    return await measured(
      http.process.pid ?? 0,
      async () => ({}),
      () => creations(http.url),
    )
  } finally {
    await http.stop()
  }
}
