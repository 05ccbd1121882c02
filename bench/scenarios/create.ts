import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { migrate } from 'database'
import { freePort } from 'local'
import { outboxMigrations } from 'outbox'
import { productMigrations } from '../../product-service/migrations.ts'
import { installed } from '../http/installed.ts'
import { load, loadTool } from '../http/load.ts'
import { pgbench } from '../http/pgbench.ts'
import { startProductService } from '../http/product-service.ts'
import { type ServerProcess, startServer } from '../http/server-process.ts'
import type { Contestant, Figures, Scenario, Skipped } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

const body = JSON.stringify({ name: 'Green tea', description: 'From the hills', price: 4.5 })
/** What Fastify without a database answers. */
const ANSWER =
  '{"id":"01997c1e-0000-7000-8000-000000000001","name":"Green tea","description":"From the hills","price":4.5,' +
  '"version":1,"created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}'
const WARM_UP_SECONDS = 2

export const scenario: Scenario = {
  name: 'create',
  title: `POST /products with everything on, logging to a file: requests per second (${loadTool})`,
  async open({ quick, say }) {
    const seconds = quick ? 2 : 8
    const server = await startBenchServer()
    const dir = await mkdtemp('/tmp/product-events-bench-create-')
    const contestants: Contestant[] = []
    const skipped: Skipped[] = []
    const servers: ServerProcess[] = []

    const freshTables = async (name: string) => {
      const url = await server.createDatabase(name)
      await migrate(url, outboxMigrations, productMigrations)
      return url
    }
    const add = (name: string, databaseUrl: string | undefined, measure: () => Promise<Figures>) =>
      contestants.push({
        name,
        async round() {
          // Every round begins on empty tables, with nothing of the round before left to be written.
          if (databaseUrl !== undefined) await query(databaseUrl, 'TRUNCATE products, events, idempotency_keys')
          await query(server.postgres.url + '/postgres', 'CHECKPOINT')
          return measure()
        },
      })
    const post = async (name: string, http: ServerProcess, databaseUrl: string | undefined, connections: number) => {
      const url = `${http.url}/products`
      await load({ url, connections, seconds: WARM_UP_SECONDS, body })
      add(name, databaseUrl, () => load({ url, connections, seconds, body }))
    }
    const start = async <Server extends ServerProcess>(starting: Promise<Server>) => {
      const http = await starting
      servers.push(http)
      return http
    }
    const fastify = async (file: string, env: Record<string, string>) => {
      const port = await freePort()
      const readyUrl = `http://127.0.0.1:${port}/`
      return start(
        startServer({ program: `${import.meta.dirname}/../http/${file}`, port, readyUrl, env, log: 'ignore' }),
      )
    }
    const service = async (name: string, sending: boolean) =>
      start(startProductService({ databaseUrl: await freshTables(name), logFile: `${dir}/${name}.log`, sending }))

    say('starting product-service')
    const ours = await service('ours', false)
    await post('ours, 64 connections', ours, ours.databaseUrl, 64)

    const [pgbenchProgram, plain] = [await installed('pgbench'), await freshTables('plain')]
    for (const clients of [64, 1]) {
      const name = `pgbench, plain transaction, ${clients} clients`
      if (!pgbenchProgram) skipped.push({ name, reason: 'it comes with postgresql-client' })
      else add(name, plain, () => pgbench(pgbenchProgram, { databaseUrl: plain, clients, seconds }))
    }

    say('starting the others')
    const usualUrl = await freshTables('usual')
    await post(
      'usual: pool, four round trips, 64',
      await fastify('usual-fastify.ts', { DATABASE_URL: usualUrl }),
      usualUrl,
      64,
    )
    const single = await fastify('usual-fastify.ts', { DATABASE_URL: usualUrl, ONE_STATEMENT: '1' })
    await post('one statement a request, 64', single, usualUrl, 64)
    await writeFile(`${dir}/answer.json`, ANSWER)
    await post(
      'Fastify without a database, 64',
      await fastify('bare-fastify.ts', { ANSWER: `${dir}/answer.json` }),
      undefined,
      64,
    )

    for (const connections of [1, 16, 256]) await post(`ours, ${connections}`, ours, ours.databaseUrl, connections)
    await post('one statement a request, 1', single, usualUrl, 1)
    const sending = await service('sending', true)
    await post('ours, 64, sending to SQS meanwhile', sending, sending.databaseUrl, 64)

    return {
      contestants,
      skipped,
      async close() {
        for (const http of servers) await http.stop()
        await server.close()
        await rm(dir, { recursive: true, force: true })
      },
    }
  },
}
