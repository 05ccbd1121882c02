import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'

/** A receiver of webhooks, until its first delivery: then it is gone (410), so that its endpoint is disabled. */
export async function startReceiver(dir: string) {
  let deliveries = 0
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(deliveries++ === 0 ? 200 : 410).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const file = join(dir, 'channels.json')
  const webhooks = [{ name: 'shop', url: `http://127.0.0.1:${port}/`, secret_env: 'SHOP_SECRET' }]
  await writeFile(file, JSON.stringify({ webhooks, allow_hosts: ['127.0.0.1'] }))
  return {
    variables: { CHANNELS_FILE: file, SHOP_SECRET: `whsec_${randomBytes(32).toString('base64')}` },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
