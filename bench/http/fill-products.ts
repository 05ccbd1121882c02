import { query } from '../server.ts'

/** When the product before the first was made. */
const BEGINNING = '2025-01-01T00:00:00Z'

/** Ids as of products that were made one after the other, a second apart. */
export async function fillProducts(databaseUrl: string, count: number): Promise<void> {
  await query(
    databaseUrl,
    `INSERT INTO products (id, name, description, price, version, created_at, updated_at)
     SELECT (lpad(to_hex(extract(epoch FROM made_at)::bigint * 1000), 12, '0') || '7' || substr(md5(n::text), 1, 3)
             || '8' || substr(md5(n::text), 4, 15))::uuid,
            'Product ' || n, 'From the hills, the ' || n || 'th of its kind', n % 10000 / 100.0, 1, made_at, made_at
     FROM generate_series(1, $1::int) AS n, LATERAL (SELECT $2::timestamptz + n * interval '1 second' AS made_at) AS clock`,
    [count, BEGINNING],
  )
  await query(databaseUrl, 'VACUUM ANALYZE products')
}

/** An id just behind that of the n-th of them, newest first: what a page token holds. */
export function idBehind(n: number): string {
  const time = (Date.parse(BEGINNING) + Math.floor(n) * 1000).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}
