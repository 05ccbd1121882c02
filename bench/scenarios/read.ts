import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { freePort } from 'local'
import { pageTokenBehind } from '../../product-service/products/list.ts'
import { load, loadTool } from '../http/load.ts'
import { startProductService } from '../http/product-service.ts'
import { type ServerProcess, startServer } from '../http/server-process.ts'
import type { Contestant, Scenario, Skipped } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

const PRODUCTS = 1_000_000
const PAGE = 20
const CONNECTIONS = 64
const WARM_UP_SECONDS = 3
/** How many different paths are asked for one after the other, so that hardly two requests at once are alike. */
const PATHS = 5_000

export const scenario: Scenario = {
  name: 'read',
  title: `GET /products and /products/{id} of a million, ${CONNECTIONS} connections: requests per second (${loadTool})`,
  async open({ quick, say }) {
    const seconds = quick ? 2 : 8
    const server = await startBenchServer()
    const dir = await mkdtemp('/tmp/product-events-bench-read-')
    const contestants: Contestant[] = []
    const skipped: Skipped[] = []
    const servers: ServerProcess[] = []

    const measure = async (name: string, url: string, pathsFile?: string) => {
      const what = { url, connections: CONNECTIONS, ...(pathsFile !== undefined && { pathsFile }) }
      await load({ ...what, seconds: WARM_UP_SECONDS })
      contestants.push({ name, round: () => load({ ...what, seconds }) })
    }
    /** Fastify without a database, with the bytes that ours answers there. */
    const bare = async (name: string, ofOurs: string) => {
      const file = `${dir}/${servers.length}.json`
      await writeFile(file, await (await fetch(ofOurs)).text())
      const port = await freePort()
      const http = await startServer({
        program: `${import.meta.dirname}/../http/bare-fastify.ts`,
        port,
        readyUrl: `http://127.0.0.1:${port}/`,
        env: { ANSWER: file },
        log: 'ignore',
      })
      servers.push(http)
      await measure(name, http.url)
    }
    const different = async (name: string, url: string, path: (id: string) => string) => {
      if (loadTool !== 'wrk') return void skipped.push({ name, reason: 'only wrk asks for many paths' })
      await writeFile(`${dir}/${name}`, (await someIds(databaseUrl)).map(path).join('\n'))
      return measure(name, url, `${dir}/${name}`)
    }

    const databaseUrl = await server.createDatabase('ours')
    const ours = await startProductService({ databaseUrl, logFile: `${dir}/service.log`, sending: false })
    servers.push(ours)
    say(`writing ${PRODUCTS.toLocaleString('en')} products`)
    await fill(databaseUrl)

    const firstPage = `${ours.url}/products?limit=${PAGE}`
    const deepPage = `${firstPage}&token=${pageTokenBehind(await lastIdBefore(databaseUrl, PRODUCTS / PAGE))}`
    const oneProduct = `${ours.url}/products/${(await someIds(databaseUrl))[0]}`
    say('warming up')
    await measure('ours, first page', firstPage)
    await bare('Fastify, the bytes of a page', firstPage)
    await measure(`ours, page ${(PRODUCTS / PAGE).toLocaleString('en')}`, deepPage)
    await measure('ours, one product', oneProduct)
    await bare('Fastify, the bytes of a product', oneProduct)
    const token = (id: string) => `/products?limit=${PAGE}&token=${pageTokenBehind(id)}`
    await different('ours, pages all different', ours.url, token)
    await different('ours, products all different', ours.url, (id) => `/products/${id}`)

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

/** Ids as of products that were made one after the other, a second apart. */
async function fill(databaseUrl: string): Promise<void> {
  await query(
    databaseUrl,
    `INSERT INTO products (id, name, description, price, version, created_at, updated_at)
     SELECT (lpad(to_hex(extract(epoch FROM made_at)::bigint * 1000), 12, '0') || '7' || substr(md5(n::text), 1, 3)
             || '8' || substr(md5(n::text), 4, 15))::uuid,
            'Product ' || n, 'From the hills, the ' || n || 'th of its kind', n % 10000 / 100.0, 1, made_at, made_at
     FROM generate_series(1, $1::int) AS n, LATERAL (SELECT timestamptz '2025-01-01Z' + n * interval '1 second' AS made_at) AS clock`,
    [PRODUCTS],
  )
  await query(databaseUrl, 'VACUUM ANALYZE products')
}

/** The id of the last product before this page of the list. */
async function lastIdBefore(databaseUrl: string, page: number): Promise<string> {
  const offset = (page - 1) * PAGE - 1
  const rows = await query<{ id: string }>(databaseUrl, 'SELECT id FROM products ORDER BY id DESC OFFSET $1 LIMIT 1', [
    offset,
  ])
  return rows[0]!.id
}

async function someIds(databaseUrl: string): Promise<string[]> {
  const rows = await query<{ id: string }>(databaseUrl, 'SELECT id FROM products ORDER BY md5(id::text) LIMIT $1', [
    PATHS,
  ])
  return rows.map(({ id }) => id)
}
