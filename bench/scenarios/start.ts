import { writeFile } from 'node:fs/promises'
import { freePort, freshQueue, startSqs } from '@product-events/local'
import { freePorts, npmStart } from '../../e2e/npm-start.ts'
import { startServer } from '../http/server-process.ts'
import { ourProcesses, type OurProcessName, startOurs } from '../processes/ours.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

export const scenario: Scenario = {
  name: 'start',
  title: 'from the start of a process to ready, on an empty and on a migrated database, and of all of npm start',
  chart: 'ready s',
  seconds: { prepare: 4, round: 17 },
  async open({ dir }) {
    const server = await startBenchServer(dir)
    const emulator = await startSqs({ port: await freePort() })
    const { sqs, queue } = await freshQueue(emulator.endpoint)
    const answer = `${dir}/answer.json`
    await writeFile(answer, '{}')
    let databases = 0
    let databaseUrl = ''

    const ready = async (name: OurProcessName): Promise<Figures> => {
      const from = performance.now()
      const ours = await startOurs(name, { databaseUrl, sqsEndpoint: emulator.endpoint, queueName: queue.name })
      const seconds = (performance.now() - from) / 1000
      ours.kill()
      return { 'ready s': seconds }
    }
    const twice = (name: OurProcessName): Contestant[] => [
      {
        name: `${name}, empty database`,
        async round() {
          databaseUrl = await server.createDatabase(`start_${++databases}`)
          return ready(name)
        },
      },
      { name: `${name}, again`, round: () => ready(name) },
    ]
    const everything = (name: string, dataDir: () => string): Contestant => ({
      name,
      async round() {
        const from = performance.now()
        const run = npmStart(dataDir(), await freePorts())
        await run.ready()
        const seconds = (performance.now() - from) / 1000
        run.child.kill('SIGTERM')
        await run.ended
        return { 'ready s': seconds }
      },
    })
    return {
      contestants: [
        ...ourProcesses.flatMap(twice),
        everything('npm start, first', () => `${dir}/start-${++databases}`),
        everything('npm start, again', () => `${dir}/start-${databases}`),
        { name: 'Fastify without a database', round: () => bareReady(answer) },
      ],
      skipped: [],
      settings: { postgresql: server.settings },
      async close() {
        sqs.destroy()
        await emulator.stop()
        await server.close()
      },
    }
  },
}

async function bareReady(answer: string): Promise<Figures> {
  const port = await freePort()
  const program = `${import.meta.dirname}/../http/bare-fastify.ts`
  const from = performance.now()
  const readyUrl = `http://127.0.0.1:${port}/`
  const http = await startServer({ program, port, readyUrl, env: { ANSWER: answer }, log: 'ignore' })
  const seconds = (performance.now() - from) / 1000
  await http.stop()
  return { 'ready s': seconds }
}
