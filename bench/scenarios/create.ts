import { writeFile } from 'node:fs/promises'
import { migrate } from '@product-events/database'
import { freePort } from '@product-events/local'
import { outboxMigrations } from '@product-events/outbox'
import { productMigrations } from '../../services/product-service/migrations.ts'
import { installed } from '../http/installed.ts'
import { load, loadTool } from '../http/load.ts'
import { pgbench } from '../http/pgbench.ts'
import { startProductService } from '../http/product-service.ts'
import { type ServerProcess, startServer } from '../http/server-process.ts'
import type { Contestant, Figures, Scenario, Skipped } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

/** 64 first: figures that only this size has are compared with it. */
const CONNECTIONS = [64, 1, 16, 256]
const QUICK_CONNECTIONS = [64]
const WARM_UP_SECONDS = 2
const body = JSON.stringify({ name: 'Green tea', description: 'From the hills', price: 4.5 })
/** What Fastify without a database answers. */
const ANSWER =
  '{"id":"01997c1e-0000-7000-8000-000000000001","name":"Green tea","description":"From the hills","price":4.5,' +
  '"version":1,"created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}'

export const scenario: Scenario = {
  name: 'create',
  title: `POST /products with everything on, logging to a file: requests per second (${loadTool})`,
  chart: 'requests/s',
  seconds: { prepare: 30, round: 68 },
  async open({ quick, dir, say }) {
    const seconds = quick ? 1 : 3
    const server = await startBenchServer(dir)
    const contestants: Contestant[] = []
    const skipped: Skipped[] = []
    const servers: ServerProcess[] = []

    const freshTables = async (name: string) => {
      const url = await server.createDatabase(name)
      await migrate(url, outboxMigrations, productMigrations)
      return url
    }
    const add = (name: string, connections: number, databaseUrl: string | undefined, measure: () => Promise<Figures>) =>
      contestants.push({
        name: `${name}, ${connections}`,
        beside: `ours, ${connections}`,
        async round() {
          // Every round begins on empty tables, with nothing of the round before left to be written.
          if (databaseUrl !== undefined) await query(databaseUrl, 'TRUNCATE products, events, idempotency_keys')
          await query(server.postgres.url + '/postgres', 'CHECKPOINT')
          return measure()
        },
      })
    const start = async <Server extends ServerProcess>(starting: Promise<Server>) => {
      const http = await starting
      servers.push(http)
      if (!quick) await load({ url: `${http.url}/products`, connections: 64, seconds: WARM_UP_SECONDS, body })
      return http
    }
    const fastify = (file: string, env: Record<string, string>) => start(startFastify(file, env))
    const service = async (name: string, sending: boolean) =>
      start(startProductService({ databaseUrl: await freshTables(name), logFile: `${dir}/${name}.log`, sending }))

    say('starting and warming up')
    const ours = await service('ours', false)
    const sending = await service('sending', true)
    const [pgbenchProgram, plain] = [await installed('pgbench'), await freshTables('plain')]
    const usualUrl = await freshTables('usual')
    const usual = await fastify('usual-fastify.ts', { DATABASE_URL: usualUrl })
    const single = await fastify('usual-fastify.ts', { DATABASE_URL: usualUrl, ONE_STATEMENT: '1' })
    await writeFile(`${dir}/answer.json`, ANSWER)
    const bare = await fastify('bare-fastify.ts', { ANSWER: `${dir}/answer.json` })

    for (const connections of quick ? QUICK_CONNECTIONS : CONNECTIONS) {
      const post = (name: string, http: ServerProcess, databaseUrl: string | undefined) =>
        add(name, connections, databaseUrl, () => load({ url: `${http.url}/products`, connections, seconds, body }))
      post('ours', ours, ours.databaseUrl)
      if (!pgbenchProgram) skipped.push({ name: `pgbench, ${connections}`, reason: 'it comes with postgresql-client' })
      else {
        const order = { databaseUrl: plain, clients: connections, seconds }
        add('pgbench, the plain transaction', connections, plain, () => pgbench(pgbenchProgram, order))
      }
      post('usual: pool, four round trips', usual, usualUrl)
      post('one statement a request', single, usualUrl)
      post('Fastify without a database', bare, undefined)
      if (connections === 64) post('ours, sending to SQS meanwhile', sending, sending.databaseUrl)
    }
    return {
      contestants,
      skipped,
      settings: { seconds, body, loadTool, postgresql: server.settings, logLevel: 'info' },
      async close() {
        for (const http of servers) await http.stop()
        await server.close()
      },
    }
  },
}

/** A program of `bench/http/`, on a port of its own. */
async function startFastify(file: string, env: Record<string, string>): Promise<ServerProcess> {
  const port = await freePort()
  const program = `${import.meta.dirname}/../http/${file}`
  return startServer({ program, port, readyUrl: `http://127.0.0.1:${port}/`, env, log: 'ignore' })
}
