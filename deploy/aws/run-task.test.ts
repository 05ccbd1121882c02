import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'

interface Answer {
  Status: string
  Reason?: string
  PhysicalResourceId: string
}
type Handler = (event: object) => Promise<void>

const require = createRequire(import.meta.url)
/** What the front answers, by the operation of ECS, one after the other; the last one stays. */
let operations: Record<string, object[]>
let url: string
const asked: { operation: string; body: Record<string, unknown> }[] = []
let answer: Answer | undefined
let handler: Handler

/** Speaks the JSON protocol of ECS, and takes the answer for CloudFormation. */
const server: Server = createServer((request, response) => {
  void bodyOf(request).then((body) => {
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1]
    if (operation === undefined) {
      answer = JSON.parse(body) as Answer
      return response.end()
    }
    asked.push({ operation, body: JSON.parse(body) as Record<string, unknown> })
    const answers = operations[operation] ?? []
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    return response.end(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0]))
  })
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // The function makes its client when it is loaded, from these variables, as Lambda sets them.
  vi.stubEnv('AWS_ENDPOINT_URL_ECS', url)
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'x')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x')
  handler = (require('./run-task.cjs') as { handler: Handler }).handler
  return () => {
    vi.unstubAllEnvs()
    server.close()
    server.closeAllConnections()
  }
})

const properties = {
  Cluster: 'product-events',
  TaskDefinition: 'migration:7',
  Subnets: ['subnet-1', 'subnet-2'],
  SecurityGroup: 'sg-1',
  LogGroup: '/product-events/migration',
}
const started = { tasks: [{ taskArn: 'arn:task/1' }] }
const stopped = (container: object) => ({
  tasks: [{ taskArn: 'arn:task/1', lastStatus: 'STOPPED', stoppedReason: 'image not found', containers: [container] }],
})

async function run(answers: typeof operations, event: object = { RequestType: 'Create' }): Promise<Answer | undefined> {
  operations = answers
  asked.length = 0
  answer = undefined
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => printed.mockRestore())
  await handler({ ResponseURL: url, LogicalResourceId: 'migrationrun', ResourceProperties: properties, ...event })
  return answer
}

test('a task that ends with 0 lets the deployment go on', async () => {
  const done = await run({ RunTask: [started], DescribeTasks: [stopped({ exitCode: 0 })] })
  expect(done).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'migrationrun' })
  expect(asked[0]?.body).toMatchObject({
    cluster: 'product-events',
    taskDefinition: 'migration:7',
    launchType: 'FARGATE',
    networkConfiguration: {
      awsvpcConfiguration: { subnets: ['subnet-1', 'subnet-2'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' },
    },
  })
  expect(asked[1]?.body).toMatchObject({ cluster: 'product-events', tasks: ['arn:task/1'] })
})

test.each([
  ['ends with another exit code', { RunTask: [started], DescribeTasks: [stopped({ exitCode: 1 })] }, 'exit code 1'],
  ['never ran', { RunTask: [started], DescribeTasks: [stopped({})] }, 'image not found'],
  ['was not started', { RunTask: [{ tasks: [], failures: [{ reason: 'RESOURCE:CPU' }] }] }, 'RESOURCE:CPU'],
])('a task that %s stops the deployment with the reason', async (_how, answers: typeof operations, reason) => {
  const failed = await run(answers)
  expect(failed).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining(reason) as string })
})

test('a task that still runs is waited for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const advancing = setInterval(() => vi.advanceTimersByTime(1_000), 10)
  onTestFinished(() => {
    clearInterval(advancing)
    vi.useRealTimers()
  })
  const running = { tasks: [{ taskArn: 'arn:task/1', lastStatus: 'RUNNING' }] }
  const done = await run({ RunTask: [started], DescribeTasks: [running, running, stopped({ exitCode: 0 })] })
  expect(done?.Status).toBe('SUCCESS')
  expect(asked.map(({ operation }) => operation)).toEqual(['RunTask', ...Array(3).fill('DescribeTasks')])
})

test('a deletion runs nothing, and a change keeps the id', async () => {
  const deleted = await run({}, { RequestType: 'Delete', PhysicalResourceId: 'first' })
  expect([deleted?.Status, asked.length]).toEqual(['SUCCESS', 0])
  const changed = await run(
    { RunTask: [started], DescribeTasks: [stopped({ exitCode: 0 })] },
    { RequestType: 'Update', PhysicalResourceId: 'first' },
  )
  expect(changed).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'first' })
})
