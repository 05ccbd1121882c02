import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runSuite } from './suite.ts'

let failureDir: string
beforeAll(async () => {
  failureDir = await mkdtemp(join(tmpdir(), 'crash-'))
})
afterAll(() => rm(failureDir, { recursive: true, force: true }))

/** Long enough for a relay to sleep through its lease, and for some of each other fault. */
const SECONDS = 12

test('process killed at any point: nothing is lost, invented, notified twice or out of order', async () => {
  const lines: string[] = []
  // Each run has a new seed, which a failure names.
  const seed = Math.floor(Math.random() * 1_000_000)
  const say = (line: string) => void lines.push(line)
  const { rounds, failed } = await runSuite({ rounds: 1, seed, seconds: SECONDS, fifo: false, failureDir, say })
  const said = lines.join('\n')
  console.log(said)
  expect({ rounds, failed }, said).toEqual({ rounds: 1, failed: 0 })
  expect(said).toMatch(/SIGSTOP past the lease 1/)
  expect(await readdir(failureDir), said).toEqual([])
}, 240_000)
