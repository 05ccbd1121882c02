import {
  PurgeQueueCommand,
  type SendMessageBatchRequestEntry,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, freshQueue, startSqs } from '@product-events/local'
import { SEND_TIMEOUT_MS, type Send } from '@product-events/outbox'
import { sendToSqs } from '@product-events/outbox/sqs'
import { connectSqs } from '@product-events/queue'
import { samplePayload } from '../drain/drainer.ts'
import { oursTo } from '../drain/ours.ts'
import type { Contestant, Scenario } from '../scenario.ts'
import { type BenchServer, startBenchServer } from '../server.ts'

const EVENTS = 20_000
const IN_FLIGHT = [8, 1, 4, 16]
/** `undefined`: as many as the relay chooses. */
const FAR_IN_FLIGHT = [undefined, 8]
const FAR_MS = 100
const FAR = `the relay, SQS ${FAR_MS} ms away`

export const scenario: Scenario = {
  name: 'publish',
  title: 'the outbox to the SQS emulator, in batches of ten, beside the bare SDK sending the same',
  chart: 'events/s',
  seconds: { prepare: 10, round: 20 },
  async open({ quick, dir, say }) {
    const server = await startBenchServer(dir)
    const emulator = await startSqs({ port: await freePort() })
    // The SDK's client as it comes: the savings of our client are part of the comparison.
    const bare = new SQSClient({ endpoint: emulator.endpoint, region: 'us-east-1', useQueueUrlAsEndpoint: false })
    const events = EVENTS / (quick ? 10 : 1)
    const contestants: Contestant[] = []
    const closing: (() => Promise<void>)[] = []
    for (const inFlight of IN_FLIGHT) {
      const name = `the relay, ${inFlight} in flight`
      say(`preparing ${name}`)
      const { queue } = await freshQueue(emulator.endpoint)
      // As product-service has it.
      const sqs = connectSqs({
        endpoint: emulator.endpoint,
        region: 'us-east-1',
        requestTimeoutMs: SEND_TIMEOUT_MS,
        maxConnections: inFlight,
      })
      const send: Send = sendToSqs({ sqs, queueUrl: queue.url, bounded: true })
      const drainer = await oursTo(name, await server.createDatabase(`publish_${inFlight}`), { send, inFlight })
      closing.push(drainer.close)
      // Nobody receives, and the emulator gets slower with what it holds.
      const empty = () => sqs.send(new PurgeQueueCommand({ QueueUrl: queue.url }))
      contestants.push({
        name,
        beside: name,
        async round() {
          await empty()
          await drainer.fill(events)
          return rate(events, () => drainer.drain(events))
        },
      })
      const sdk = (whose: string, client: SQSClient) =>
        contestants.push({
          name: whose,
          beside: name,
          async round() {
            await empty()
            return rate(events, () =>
              sendAll(events, inFlight, async (Entries) => {
                await client.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
              }),
            )
          },
        })
      sdk(`the bare SDK, ${inFlight} in flight`, bare)
      if (inFlight === IN_FLIGHT[0]) sdk(`our SQS client alone, ${inFlight} in flight`, sqs)
    }
    for (const inFlight of FAR_IN_FLIGHT) {
      const far = await openFar(server, events, inFlight)
      closing.push(far.close)
      contestants.push(far.contestant)
    }
    return {
      contestants,
      skipped: [],
      settings: { events, batch: 10, postgresql: server.settings, sqs: 'the emulator, in memory' },
      async close() {
        for (const close of closing) await close()
        bare.destroy()
        await emulator.stop()
        await server.close()
      },
    }
  },
}

/** The relay on its own database, with a broker in another region. */
async function openFar(server: BenchServer, events: number, inFlight: number | undefined) {
  const name = inFlight === undefined ? FAR : `${FAR}, ${inFlight} in flight`
  const calls = { send: farAway, ...(inFlight !== undefined && { inFlight }) }
  const drainer = await oursTo(name, await server.createDatabase(`publish_far_${inFlight ?? 'most'}`), calls)
  const contestant: Contestant = {
    name,
    beside: FAR,
    async round() {
      await drainer.fill(events)
      return rate(events, () => drainer.drain(events))
    },
  }
  return { contestant, close: drainer.close }
}

/** A broker in another region, which takes everything. */
const farAway: Send = async (events) => {
  await sleep(FAR_MS)
  return { outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' }])) }
}

async function rate(events: number, work: () => Promise<void>): Promise<{ 'events/s': number }> {
  const start = performance.now()
  await work()
  return { 'events/s': events / ((performance.now() - start) / 1000) }
}

/** `inFlight` loops, each sending one batch of ten after the other until `events` are sent. */
async function sendAll(
  events: number,
  inFlight: number,
  send: (entries: SendMessageBatchRequestEntry[]) => Promise<void>,
): Promise<void> {
  let next = 0
  const loop = async () => {
    while (next < events) {
      const entries = Array.from({ length: 10 }, () => entry(next++))
      await send(entries)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
}

/** What the relay sends for the same event. */
function entry(n: number): SendMessageBatchRequestEntry {
  return {
    Id: String(n),
    MessageBody: JSON.stringify(samplePayload(n)),
    MessageAttributes: { type: { DataType: 'String', StringValue: 'product.created' } },
  }
}
