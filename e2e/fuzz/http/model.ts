import type pg from 'pg'

/** A product as the API answers it. */
export interface Product {
  id: string
  name: string
  description: string
  price: number
  version: number
  created_at: string
  updated_at: string
}

/** What the database must have, going by the answers alone. */
export interface Model {
  created(product: Product): void
  updated(product: Product): void
  deleted(id: string): void
  get(id: string): Product | undefined
  /** The ids of products that are there, newest first. */
  ids(): string[]
  /** What the database has otherwise for all that changed since the last call. */
  compare(pool: pg.Pool): Promise<string[]>
}

interface Event {
  type: string
  sequence: string
  data: Product
}

export function createModel(): Model {
  const products = new Map<string, Product>()
  const ids: string[] = []
  /** Events by product, of products that changed since the last comparison or are still there. */
  const events = new Map<string, Event[]>()
  const touched = new Set<string>()

  function tell(id: string, type: string, data: Product, sequence: number): void {
    events.set(id, [...(events.get(id) ?? []), { type, sequence: String(sequence), data }])
    touched.add(id)
  }

  return {
    created(product) {
      products.set(product.id, product)
      ids.unshift(product.id)
      tell(product.id, 'product.created', product, 1)
    },
    updated(product) {
      const before = products.get(product.id)
      products.set(product.id, product)
      if (before?.version !== product.version) tell(product.id, 'product.updated', product, product.version)
    },
    deleted(id) {
      const last = products.get(id)
      if (!last) return
      products.delete(id)
      ids.splice(ids.indexOf(id), 1)
      tell(id, 'product.deleted', last, last.version + 1)
    },
    get: (id) => products.get(id),
    ids: () => ids,
    async compare(pool) {
      const changed = [...touched]
      touched.clear()
      const [rows, told] = await Promise.all([selectProducts(pool, changed), selectEvents(pool, changed)])
      const faults = changed.flatMap((id) => [
        ...difference(`product ${id}`, products.get(id), rows.get(id)),
        ...difference(`events of ${id}`, events.get(id) ?? [], told.get(id) ?? []),
      ])
      for (const id of changed) if (!products.has(id)) events.delete(id)
      return faults
    },
  }
}

function difference(what: string, answered: unknown, stored: unknown): string[] {
  const [a, b] = [canonical(answered), canonical(stored)]
  return a === b ? [] : [`${what}: answered ${a}, stored ${b}`]
}

/** JSON with its keys in order. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

async function selectProducts(pool: pg.Pool, ids: string[]): Promise<Map<string, Product>> {
  const { rows } = await pool.query<Omit<Product, 'price'> & { price: string }>(
    'SELECT id, name, description, price, version, created_at, updated_at FROM products WHERE id = ANY($1)',
    [ids],
  )
  return new Map(rows.map((row) => [row.id, { ...row, price: Number(row.price) }]))
}

async function selectEvents(pool: pg.Pool, ids: string[]): Promise<Map<string, Event[]>> {
  const { rows } = await pool.query<{ key: string; payload: Event }>(
    'SELECT key, payload FROM events WHERE key = ANY($1) ORDER BY id',
    [ids],
  )
  const events = Map.groupBy(rows, ({ key }) => key)
  return new Map(
    [...events].map(([key, list]) => [
      key,
      list.map(({ payload: { type, sequence, data } }) => ({ type, sequence, data })),
    ]),
  )
}
