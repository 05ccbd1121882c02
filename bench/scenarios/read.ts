import { writeFile } from 'node:fs/promises'
import { freePort } from '@product-events/local'
import { pageTokenBehind } from '../../services/product-service/products/list.ts'
import { fillProducts } from '../http/fill-products.ts'
import { load, loadTool } from '../http/load.ts'
import { startProductService } from '../http/product-service.ts'
import { type ServerProcess, startServer } from '../http/server-process.ts'
import type { Contestant, Scenario, Skipped } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

const PRODUCTS = 1_000_000
/** For a look: a million take half a minute. */
const QUICK_PRODUCTS = 100_000
const PAGE = 20
const CONNECTIONS = 64
const WARM_UP_SECONDS = 3
/** How many different paths are asked for one after the other, so that hardly two requests at once are alike. */
const PATHS = 5_000

interface Asked {
  /** Whose figures are "ours" beside it; its own if not said. */
  beside?: string
  /** A file of paths to ask for one after the other. */
  pathsFile?: string
}

export const scenario: Scenario = {
  name: 'read',
  title: `GET /products and /products/{id} of a million, ${CONNECTIONS} connections: requests per second (${loadTool})`,
  chart: 'requests/s',
  seconds: { prepare: 55, round: 33 },
  async open({ quick, dir, say }) {
    const [products, seconds] = quick ? [QUICK_PRODUCTS, 1] : [PRODUCTS, 4]
    const server = await startBenchServer(dir)
    const contestants: Contestant[] = []
    const skipped: Skipped[] = []
    const servers: ServerProcess[] = []

    const measure = async (name: string, url: string, { beside = name, pathsFile }: Asked = {}) => {
      const what = { url, connections: CONNECTIONS, ...(pathsFile !== undefined && { pathsFile }) }
      if (!quick) await load({ ...what, seconds: WARM_UP_SECONDS })
      contestants.push({ name, beside, round: () => load({ ...what, seconds }) })
    }
    /** Fastify without a database, with the bytes that ours answers there. */
    const bare = async (name: string, beside: string, ofOurs: string) => {
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
      await measure(name, http.url, { beside })
    }
    const different = async (name: string, url: string, path: (id: string) => string) => {
      if (loadTool !== 'wrk') return void skipped.push({ name, reason: 'only wrk asks for many paths' })
      await writeFile(`${dir}/${name}`, (await someIds(databaseUrl)).map(path).join('\n'))
      return measure(name, url, { pathsFile: `${dir}/${name}` })
    }

    const databaseUrl = await server.createDatabase('ours')
    const ours = await startProductService({ databaseUrl, logFile: `${dir}/service.log`, sending: false })
    servers.push(ours)
    say(`writing ${products.toLocaleString('en')} products`)
    await fillProducts(databaseUrl, products)

    const firstPage = `${ours.url}/products?limit=${PAGE}`
    const deepPage = `${firstPage}&token=${pageTokenBehind(await lastIdBefore(databaseUrl, products / PAGE))}`
    const oneProduct = `${ours.url}/products/${(await someIds(databaseUrl))[0]}`
    say('warming up')
    await measure('ours, first page', firstPage)
    await bare('Fastify, the bytes of a page', 'ours, first page', firstPage)
    const deep = `ours, page ${(products / PAGE).toLocaleString('en')}`
    await measure(deep, deepPage)
    await bare('Fastify, the bytes of that page', deep, deepPage)
    await measure('ours, one product', oneProduct)
    await bare('Fastify, the bytes of a product', 'ours, one product', oneProduct)
    const token = (id: string) => `/products?limit=${PAGE}&token=${pageTokenBehind(id)}`
    await different('ours, pages all different', ours.url, token)
    await different('ours, products all different', ours.url, (id) => `/products/${id}`)

    return {
      contestants,
      skipped,
      settings: { products, page: PAGE, connections: CONNECTIONS, seconds, loadTool, postgresql: server.settings },
      async close() {
        for (const http of servers) await http.stop()
        await server.close()
      },
    }
  },
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
