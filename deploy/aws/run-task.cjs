// A Lambda function: runs one ECS task to its end before CloudFormation goes on. Inline, so at most 4096 characters.
const { DescribeTasksCommand, ECSClient, RunTaskCommand } = require('@aws-sdk/client-ecs')

const ecs = new ECSClient({})
const POLL_EVERY_MS = 5_000
// The function itself may take 15 minutes, and must still be able to answer.
const GIVE_UP_AFTER_MS = 14 * 60_000

exports.handler = async (event) => {
  const id = event.PhysicalResourceId ?? event.LogicalResourceId
  try {
    if (event.RequestType !== 'Delete') await run(event.ResourceProperties)
    await answer(event, { Status: 'SUCCESS', PhysicalResourceId: id })
  } catch (error) {
    console.error(error)
    await answer(event, { Status: 'FAILED', PhysicalResourceId: id, Reason: error.message })
  }
}

async function run({ Cluster, TaskDefinition, Subnets, SecurityGroup, LogGroup }) {
  const started = await ecs.send(
    new RunTaskCommand({
      cluster: Cluster,
      taskDefinition: TaskDefinition,
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: { subnets: Subnets, securityGroups: [SecurityGroup], assignPublicIp: 'DISABLED' },
      },
    }),
  )
  const taskArn = started.tasks?.[0]?.taskArn
  if (!taskArn) throw new Error(`ECS did not start the task: ${JSON.stringify(started.failures)}`)
  const task = await stopped(Cluster, taskArn)
  const { exitCode } = task.containers[0]
  if (exitCode === 0) return
  const reason = exitCode === undefined ? task.stoppedReason : `exit code ${exitCode}`
  throw new Error(`The task ${taskArn} failed: ${reason}. Its lines are in the log group ${LogGroup}.`)
}

async function stopped(cluster, taskArn) {
  const end = Date.now() + GIVE_UP_AFTER_MS
  while (Date.now() < end) {
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }))
    if (tasks[0]?.lastStatus === 'STOPPED') return tasks[0]
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS))
  }
  throw new Error(`The task ${taskArn} still runs after 14 minutes. Wait for its end, then deploy again.`)
}

async function answer({ ResponseURL, StackId, RequestId, LogicalResourceId }, rest) {
  const body = JSON.stringify({ StackId, RequestId, LogicalResourceId, ...rest })
  const { ok, status } = await fetch(ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' } })
  if (!ok) throw new Error(`CloudFormation refused the answer: ${status}`)
}
