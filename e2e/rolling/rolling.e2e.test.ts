import { expect, inject, test } from 'vitest'
import { roll } from './rolling.ts'

test('each process is replaced in turn under load: no request fails, no event is lost, none is notified twice', async () => {
  const result = await roll({
    server: { postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') },
    releases: [undefined, undefined],
    instances: { 'product-service': 2, relay: 1, 'notification-service': 2 },
    say: () => {},
  })
  expect(result.changes).toBeGreaterThan(60)
  expect(result).toMatchObject({ failed: [], lost: 0, doubled: 0, events: result.changes })
})
