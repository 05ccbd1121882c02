import { Agent, type IncomingMessage, request } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** Enough for a delay of a tenth of a second at a thousand requests a second. */
const MOST_CONNECTIONS = 100

/** A product that was created, and when its request was sent, in milliseconds since 1970. */
export interface Created {
  id: string
  at: number
}

/** Creates products at that rate, at each of the services in turn, whether the requests before are answered or not. */
export async function createAtRate(urls: readonly string[], rate: number, seconds: number): Promise<Created[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS })
  const count = rate * seconds
  const from = performance.now()
  const created: Promise<Created>[] = []
  while (created.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - from) / 1000) * rate) + 1)
    while (created.length < due) created.push(create(urls[created.length % urls.length]!, agent))
    await sleep(1)
  }
  const all = await Promise.all(created)
  agent.destroy()
  return all
}

async function create(url: string, agent: Agent): Promise<Created> {
  const at = performance.timeOrigin + performance.now()
  const call = request(`${url}/products`, { agent, method: 'POST', headers: { 'content-type': 'application/json' } })
  call.end('{"name":"Green tea","price":4.5}')
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  const body = Buffer.concat(await answer.toArray()).toString()
  if (answer.statusCode !== 201) throw new Error(`${answer.statusCode}: ${body}`)
  return { id: (JSON.parse(body) as { id: string }).id, at }
}
