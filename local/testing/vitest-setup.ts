import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort } from '../free-port.ts'
import { startPostgres } from '../postgres.ts'
import { startSqs } from '../sqs.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A PostgreSQL for this run: see `freshDatabase`. */
    postgresUrl: string
    /** An SQS for this run: see `freshQueue`. */
    sqsEndpoint: string
  }
}

/**
 * Nothing of a test run outlives it, so nothing waits for a disk. Autovacuum would visit some hundred databases a
 * minute.
 */
const shortLived = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }

/** Tests start well over a hundred processes of the same few programs: compiled once, each starts in half the time. */
const COMPILED = `${import.meta.dirname}/../../node_modules/.cache/node`

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Coverage would be less exact with it.
  if (!project.vitest.config.coverage.enabled) process.env.NODE_COMPILE_CACHE ??= COMPILED
  // Not below os.tmpdir(): it may be one that only its owner can enter, and the server may run as another user.
  const dir = await mkdtemp('/tmp/product-events-test-')
  await chmod(dir, 0o755)
  // Another server to test on, of another version, say. The tests make their databases on it, and leave them there.
  const elsewhere = process.env.TEST_POSTGRES_URL
  const [postgres, sqs] = await Promise.all([
    elsewhere === undefined
      ? startPostgres({
          dataDir: join(dir, 'postgres'),
          port: await freePort(),
          settings: { ...shortLived, max_connections: '300' },
        })
      : { url: elsewhere, stop: () => Promise.resolve() },
    startSqs({ port: await freePort() }),
  ])
  project.provide('postgresUrl', postgres.url)
  project.provide('sqsEndpoint', sqs.endpoint)
  return async () => {
    await Promise.all([postgres.stop(), sqs.stop()])
    await rm(dir, { recursive: true, force: true })
  }
}
