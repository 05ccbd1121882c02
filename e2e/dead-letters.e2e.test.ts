import {
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs'
import { freshQueue } from '@product-events/local'
import pg from 'pg'
import { deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import { afterEach, expect, inject, test } from 'vitest'
import { allNotifications, createProduct } from './api.ts'
import { runInbox } from './inbox-command.ts'
import { startStack } from './stack.ts'

/** Five receives, a second apart. */
const DIES = { timeout: 60_000, interval: 200 }

const COUNTS = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] satisfies QueueAttributeName[]

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

/** The whole path on a queue whose messages come back after a second, and the command for its dead letters. */
async function setUp(fifo: boolean) {
  const [postgresUrl, sqsEndpoint] = [inject('postgresUrl'), inject('sqsEndpoint')]
  const { sqs, queue } = await freshQueue(sqsEndpoint, { fifo })
  opened.push(() => Promise.resolve(sqs.destroy()))
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { VisibilityTimeout: '1' } }))
  const deadLetterUrl = await findQueueUrl(sqs, deadLetterQueueName(queue.name))
  const stack = await startStack({ postgresUrl, sqsEndpoint, queueName: queue.name })
  opened.push(stack.stop)
  const { databaseUrl } = stack.notifications
  const db = new pg.Client({ connectionString: databaseUrl })
  await db.connect()
  opened.push(() => db.end())
  return {
    db,
    stack,
    inbox: (...args: string[]) => runInbox({ sqsEndpoint, queueName: queue.name, databaseUrl }, ...args),
    dead: async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: COUNTS }),
      )
      // The emulator counts messages that are visible again as in flight until the next receive.
      return COUNTS.reduce((sum, name) => sum + Number(Attributes?.[name]), 0)
    },
    send: (body: string) =>
      sqs.send(
        new SendMessageCommand({
          QueueUrl: queue.url,
          MessageBody: body,
          ...(fifo && { MessageGroupId: 'stray', MessageDeduplicationId: body }),
        }),
      ),
  }
}

test.each([false, true])(
  'a poison message goes to the dead-letter queue, harms no other, and after the fix becomes a notification (FIFO: %s)',
  async (fifo) => {
    const { db, stack, inbox, dead, send } = await setUp(fifo)
    const notified = async () => (await allNotifications(stack.notifications.url)).map((one) => one.product_id)
    await db.query(`ALTER TABLE notifications ADD CONSTRAINT mistake CHECK (message NOT LIKE '%Poison%')`)
    const poison = await createProduct(stack.products.url, 'Poison ivy')
    await send('this is no event')
    const good = await Promise.all(Array.from({ length: 5 }, (_, n) => createProduct(stack.products.url, `Tea ${n}`)))

    await expect.poll(async () => (await notified()).toSorted(), DIES).toEqual(good.map(({ id }) => id).toSorted())
    await expect.poll(dead, DIES).toBe(2)
    const listed = await inbox('list')
    expect(listed.code).toBe(0)
    expect(listed.out).toMatch(new RegExp(`product.created +${poison.id} +1 +the event can't be stored: `))
    expect(listed.out).toMatch(/- +- +- +not JSON: /)

    await db.query('ALTER TABLE notifications DROP CONSTRAINT mistake')
    const { messages } = JSON.parse((await inbox('list', '--json')).out) as {
      messages: { message_id: string; key: string | null; reason: string }[]
    }
    const { message_id = '', reason } = messages.find(({ key }) => key === poison.id) ?? {}
    expect(reason).toContain('"mistake"')
    expect((await inbox('show', message_id)).out).toContain('"name": "Poison ivy"')
    expect(await inbox('redrive', message_id)).toMatchObject({ code: 0, out: expect.stringContaining('1 sent to') })
    await expect.poll(notified, DIES).toContain(poison.id)
    expect(await dead()).toBe(1)
    expect(await inbox('purge', '--yes')).toMatchObject({ code: 0 })
    expect(await dead()).toBe(0)
  },
)

test('the command explains itself, and says in one line what it lacks', async () => {
  const target = { sqsEndpoint: inject('sqsEndpoint'), queueName: 'nobody-made-this', databaseUrl: 'postgres://x' }
  expect(await runInbox(target, '--help')).toMatchObject({ code: 0, out: expect.stringContaining('redrive') })
  expect(await runInbox(target, 'lst')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/there is no command "lst".*\n$/),
  })
  expect(await runInbox(target, 'list')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^[^\n]*there is no queue nobody-made-this\n$/),
  })
  const away = { ...target, sqsEndpoint: 'http://127.0.0.1:9' }
  expect(await runInbox(away, 'list')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^[^\n]*SQS at .*ECONNREFUSED.*\n$/),
  })
})
