import { Gauge, type Registry } from '@prometheus-io/client'

/** The counts that a `pg.Pool` has. */
export interface PoolCounts {
  totalCount: number
  idleCount: number
  waitingCount: number
  options: { max: number }
}

/** `database_pool_*`: connections in use, the most there can be, and queries that wait for one. */
export function measurePool(registry: Registry, pool: PoolCounts): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('database_pool_in_use', 'Database connections that are in use', () => pool.totalCount - pool.idleCount)
  gauge('database_pool_max', 'Database connections that this process opens at most', () => pool.options.max)
  gauge('database_pool_waiting', 'Queries that wait for a database connection', () => pool.waitingCount)
}
