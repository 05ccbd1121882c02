import { setTimeout as sleep } from 'node:timers/promises'

const TEAS = ['Green tea', 'Oolong', 'Darjeeling', 'Assam', 'Earl Grey', 'Sencha', 'Rooibos', 'Pu-erh', 'White tea']
/** Products that are changed again and again. */
const MOST_KEPT = 60
/** A service that does not answer must not pile up requests. */
const TIMEOUT_MS = 2_000
const MOST_UNDER_WAY = 50

export type Change = 'create' | 'update' | 'delete'

interface Product {
  id: string
  price: number
}

/** Changes products by the API, `rate` times a second. */
export interface Traffic {
  rate(): number
  setRate(perSecond: number): void
  change(what: Change): Promise<void>
  run(signal: AbortSignal): Promise<void>
}

export function createTraffic(productsUrl: string): Traffic {
  const products: Product[] = []
  let rate = 0
  let count = 0
  let underWay = 0
  let wake = new AbortController()

  async function change(what: Change): Promise<void> {
    const any = products[count % Math.max(1, products.length)]
    if (what === 'create' || any === undefined) {
      const made = await createProduct(productsUrl, '')
      products.push(made)
      return
    }
    if (what === 'delete') products.splice(products.indexOf(any), 1)
    else any.price = Math.round((any.price + 0.25) * 100) / 100
    await request(`${productsUrl}/products/${any.id}`, what === 'delete' ? 'DELETE' : 'PATCH', { price: any.price })
  }

  function next(): Change {
    count++
    if (products.length > MOST_KEPT) return 'delete'
    return count % 5 === 0 ? 'create' : 'update'
  }

  return {
    rate: () => rate,
    setRate(perSecond) {
      rate = perSecond
      wake.abort()
      wake = new AbortController()
    },
    change,
    async run(signal) {
      while (!signal.aborted) {
        const pauseMs = rate === 0 ? 60_000 : 1_000 / rate
        // Rejects only when the rate changes or everything stops.
        await sleep(pauseMs, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => {})
        if (rate === 0 || signal.aborted || underWay >= MOST_UNDER_WAY) continue
        underWay++
        // Swallows what the API answers while a fault is played (503, a refused connection): the next change comes in a
        // moment.
        void change(next())
          .catch(() => {})
          .finally(() => underWay--)
      }
    },
  }
}

export async function createProduct(productsUrl: string, description: string): Promise<Product> {
  const name = `${TEAS[Math.floor(Math.random() * TEAS.length)]} ${Math.floor(Math.random() * 900 + 100)}`
  return (await request(`${productsUrl}/products`, 'POST', { name, description, price: 4.5 })) as Product
}

async function request(url: string, method: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(method !== 'DELETE' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (!response.ok) throw new Error(`product-service answered ${response.status}`)
  return response.status === 204 ? undefined : response.json()
}
