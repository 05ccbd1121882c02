import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { expect, test, type TestContext } from 'vitest'
import { ascii } from '../../queue/testing/test-queue.ts'
import { paid } from '../testing/inbox.ts'
import { depthOf, findQueues } from './queues.ts'
import { deadLettersForTest, traceparent } from './testing/dead-letters.ts'

/** A look at a dead-letter queue waits for two seconds: the tests wait side by side. */
async function setUp({ onTestFinished }: TestContext, options?: { fifo?: boolean; keepMs?: number }) {
  const letters = await deadLettersForTest(options)
  onTestFinished(letters.close)
  return letters
}

interface Listed {
  messages: { message_id: string; event_id: string; key: string; sequence: string; reason: string; failures: number }[]
  failing: { message_id: string }[]
}

const ofKey = (key: string, sequences: string[]) => sequences.map((sequence) => paid(key, { sequence }))

test.concurrent(
  'list shows what is dead and what is failing, why, how often and how old, and disturbs nothing',
  async (context) => {
    const { bury, run, json, note, left } = await setUp(context)
    const event = paid('order-7')
    const refused = await bury(event)
    const silent = await bury('no JSON')
    const failure = { message_id: refused, event_id: event.id, reason: 'the event can\u0000not be stored\u001b]52;c;x' }
    await note([failure])
    await note([failure, { message_id: 'still-in-the-queue', event_id: null, reason: 'not JSON' }])

    const { messages, failing } = await json<Listed>('list')
    const byId = new Map(messages.map((message) => [message.message_id, message]))
    expect(byId.get(refused)).toMatchObject({
      event_id: event.id,
      event_type: 'order.paid',
      key: 'order-7',
      sequence: '1',
      reason: 'the event can not be stored ]52;c;x',
      failures: 2,
    })
    expect(byId.get(silent)).toMatchObject({ event_id: null, failures: null })
    expect(byId.get(silent)?.reason).toContain('no reason was noted')
    expect(failing.map((one) => one.message_id)).toEqual(['still-in-the-queue'])
    const { out } = await run(['list'])
    expect(out).toMatch(/^MESSAGE +AGE +FAILURES +TYPE +KEY +SEQUENCE +REASON\n/)
    expect(out).toMatch(new RegExp(`${refused} +[\\d.]+ m?s +2 +order.paid +order-7 +1 +the event can not`))
    expect(out).toMatch(/still in the queue:\n.*\nstill-in-the-queue +[\d.]+ m?s +1 +- +not JSON/)
    expect(await left()).toBe(2)
  },
)

test.concurrent('a look is kept for a minute, for show too, until --fresh or a redrive', async (context) => {
  const { bury, json, run } = await setUp(context, { keepMs: 60_000 })
  const first = paid('one')
  await bury(first)
  expect((await json<Listed>('list')).messages).toHaveLength(1)
  await bury(paid('two'))
  expect((await json<Listed>('list')).messages).toHaveLength(1)
  expect((await run(['show', first.id])).out).toContain('"subject": "one"')
  expect((await json<Listed>('list', '--fresh')).messages).toHaveLength(2)
  expect((await run(['redrive', first.id])).code).toBe(0)
  expect((await json<Listed>('list')).messages.map(({ key }) => key)).toEqual(['two'])
})

test.concurrent(
  'status counts both queues and what fails; an empty dead-letter queue is called empty',
  async (context) => {
    const { bury, run, note } = await setUp(context)
    expect((await run(['list'])).out).toBe('The dead-letter queue is empty.\n')
    await bury(paid('one'))
    const counts = /QUEUE +VISIBLE +IN FLIGHT +DELAYED\n\S+ +0 +0 +0\n\S+-dlq +1 +0 +0\n/
    expect((await run(['status'])).out).toMatch(counts)
    await note([{ message_id: 'm', event_id: null, reason: 'not JSON' }])
    expect((await run(['status'])).out).toContain('1 message failing now')
  },
)

test.concurrent(
  'show finds a message by its own id and by that of its event, and prints nothing that moves the cursor',
  async (context) => {
    const { bury, run } = await setUp(context)
    const event = paid('\u001b[2Jorder \u202e7')
    const id = await bury(event)
    for (const name of [id, event.id, event.id.toUpperCase()]) {
      const { code, out } = await run(['show', name])
      expect(code).toBe(0)
      expect(out).toContain('"type": "order.paid"')
      for (const character of ['\u001b', '\u202e']) expect(out).not.toContain(character)
    }
    expect(await run(['show', 'nothing'])).toMatchObject({ code: 1, out: expect.stringContaining('Not in the dead') })
  },
)

test.concurrent(
  'redrive sends by sequence for each key, as it was sent before, and deletes what is safely back',
  async (context) => {
    const { bury, json, onQueue, left } = await setUp(context)
    // Sequence 10 after 9: sequences are numbers, not text.
    const events = ['a', 'b'].flatMap((key) => ofKey(key, ['10', '9', '2']))
    for (const event of events) await bury(event)
    await bury('poison')
    const { messages } = await json<Listed>('redrive', '--all')
    expect(messages).toHaveLength(7)
    for (const key of ['a', 'b'])
      expect(messages.filter((one) => one.key === key).map((one) => one.sequence)).toEqual(['2', '9', '10'])
    expect(messages.at(-1)?.event_id).toBeNull()
    expect(await left()).toBe(0)
    const received = await onQueue()
    expect(received.map(({ Body }) => String(Body)).toSorted()).toEqual([...events.map(ascii), 'poison'].toSorted())
    for (const { MessageAttributes } of received) {
      expect(MessageAttributes?.type?.StringValue).toBe('order.paid')
      expect(MessageAttributes?.traceparent?.StringValue).toBe(traceparent)
    }
  },
)

test.concurrent('redrive of some leaves the others, and says which it did not find', async (context) => {
  const { bury, run, onQueue, left } = await setUp(context)
  const [one, two, three] = [paid('1'), paid('2'), paid('3')]
  await bury(one)
  const id = await bury(two)
  await bury(three)
  const { code, out } = await run(['redrive', one.id, id, 'unknown'])
  expect(code).toBe(1)
  expect(out).toContain('2 sent')
  expect(out).toContain('at present: unknown')
  expect((await onQueue()).map(({ Body }) => String(Body)).toSorted()).toEqual([one, two].map(ascii).toSorted())
  expect(await left()).toBe(1)
})

test.concurrent('a dry run prints what would be sent, and sends nothing', async (context) => {
  const { bury, run, onQueue, left } = await setUp(context)
  await bury(paid('order-7'))
  const { code, out } = await run(['redrive', '--all', '--dry-run'])
  expect(code).toBe(0)
  expect(out).toContain('order-7')
  expect(out).toContain('1 would be sent')
  expect(await onQueue()).toEqual([])
  expect(await left()).toBe(1)
})

test.concurrent('the rate is kept', async (context) => {
  const { bury, run } = await setUp(context)
  for (let n = 0; n < 11; n++) await bury(paid(String(n)))
  const from = performance.now()
  await run(['redrive', '--all', '--rate', '10'])
  expect(performance.now() - from).toBeGreaterThan(1_000)
})

test.concurrent('an interrupted redrive loses nothing and leaves nothing hidden', async (context) => {
  const { bury, run, json, queues, onQueue } = await setUp(context)
  for (let n = 0; n < 20; n++) await bury(paid(String(n)))
  const stop = new AbortController()
  const running = run(['redrive', '--all', '--rate', '5'], { signal: stop.signal })
  // Messages are sent a fifth of a second apart: the first is there while the others wait.
  await context.expect
    .poll(async () => (await depthOf(queues.sqs, queues.queueUrl)).visible, { timeout: 10_000 })
    .toBeGreaterThan(0)
  stop.abort()
  expect(await running).toMatchObject({ code: 130, out: expect.stringContaining('Interrupted') })
  const back = (await onQueue()).length
  expect(back).toBeLessThan(20)
  await context.expect
    .poll(async () => (await json<Listed>('list')).messages.length, { timeout: 15_000, interval: 1_500 })
    .toBe(20 - back)
})

test.concurrent('what the queue does not take stays in the dead-letter queue', async (context) => {
  const { bury, run, queues, left } = await setUp(context)
  for (let n = 0; n < 3; n++) await bury(paid(String(n)))
  const gone = { ...queues, queueUrl: `${queues.queueUrl}-gone` }
  const none = () => Promise.resolve(new Map())
  const open = () =>
    Promise.resolve({ queues: gone, findFailures: none, recentFailures: async () => [], close: async () => {} })
  expect(await run(['redrive', '--all'], { open })).toMatchObject({ code: 1, err: expect.stringMatching(/not exist/) })
  expect(await left()).toBe(3)
})

test.concurrent('on a FIFO queue each key keeps its order, and what stands behind others is named', async (context) => {
  const { bury, run, json, onQueue, left } = await setUp(context, { fifo: true })
  const events = ['a', 'b'].flatMap((key) => ofKey(key, ['1', '2', '3']))
  for (const event of events) await bury(event, event.subject)
  const { out } = await run(['list'])
  expect(out).toMatch(/About \d more:/)
  expect(await left()).toBe(6)

  const { messages } = await json<Listed>('redrive', '--all', '--rate', '1000')
  expect(messages).toHaveLength(6)
  expect(await left()).toBe(0)
  for (const key of ['a', 'b'])
    expect(messages.filter((one) => one.key === key).map((one) => one.sequence)).toEqual(['1', '2', '3'])
  // The emulator gives one message of a group until that is deleted.
  const received = (await onQueue()).map(({ Body = '' }) => JSON.parse(Body) as { sequence: string })
  expect(received).toMatchObject([{ sequence: '1' }, { sequence: '1' }])
})

test.concurrent('purge needs a yes', async (context) => {
  const { bury, run, left } = await setUp(context)
  await bury(paid('1'))
  expect(await run(['purge'])).toMatchObject({ code: 1, out: expect.stringContaining('--yes') })
  expect(await left()).toBe(1)
  expect((await run(['purge', '--yes'])).code).toBe(0)
  expect(await left()).toBe(0)
})

test.concurrent(
  'without its database the command still shows the messages, and says what it can not',
  async (context) => {
    const { bury, run, queues } = await setUp(context)
    const id = await bury(paid('1'))
    const away = () => Promise.reject(new Error('connect ECONNREFUSED'))
    const open = () =>
      Promise.resolve({ queues, findFailures: away, recentFailures: away, close: () => Promise.resolve() })
    const { code, out, err } = await run(['list'], { open })
    expect(code).toBe(0)
    expect(out).toContain(id)
    expect(err).toMatch(/^Why messages failed is unknown: connect ECONNREFUSED\nWhich messages fail .*ECONNREFUSED\n$/)
  },
)

test.concurrent(
  'a queue that does not exist is named, and so is a dead-letter queue; none is made',
  async (context) => {
    const { sqs, queues } = await setUp(context)
    for (let time = 1; time <= 2; time++)
      await expect(findQueues(sqs, { queueName: 'no-such-queue' })).rejects.toThrow('there is no queue no-such-queue')
    expect(queues.maxReceives).toBe(5)
    const name = queues.queueUrl.split('/').at(-1)
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queues.deadLetterUrl }))
    for (let time = 1; time <= 2; time++)
      await expect(findQueues(sqs, queues)).rejects.toThrow(`there is no dead-letter queue ${name}-dlq`)
  },
)

test.concurrent.for<[string[], string]>([
  [['lst'], 'there is no command "lst"'],
  [['show'], 'show takes one id'],
  [['redrive'], 'redrive takes ids or --all'],
  [['redrive', 'a', '--all'], 'redrive takes ids or --all'],
  [['redrive', '--all', '--rate', '0'], '--rate must be a whole number'],
  [['list', '--lmit', '3'], '--lmit'],
])('%j is answered with what was expected, and exit code 2', async ([args, expected], context) => {
  const { run } = await setUp(context)
  expect(await run(args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(expected) })
})
