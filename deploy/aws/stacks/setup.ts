import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CfnElement, CustomResource, Duration, type Stack, Validations } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { IDependable } from 'constructs'
import { databaseUrl, migrationEnvironment } from '../environment.ts'
import { databaseUsers, type DatabaseUser } from '../names.ts'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import type { Data } from './data.ts'
import { lifetime } from './lifetime.ts'
import type { Network } from './network.ts'
import { createTask } from './tasks.ts'

const code = readFileSync(join(import.meta.dirname, '..', 'run-task.cjs'), 'utf8')

/**
 * Two tasks that run before each rollout and stop it when they fail: the first makes databases, users and rights, the
 * second migrates as the owner of the tables, and grants each program's user its rights on them. Resolves to what the
 * services must wait for.
 */
export function createSetup(
  stack: Stack,
  settings: Settings,
  network: Network,
  data: Data,
  cluster: ecs.Cluster,
  image: ecs.ContainerImage,
): IDependable {
  const runner = createRunner(stack, settings)
  const roles = createTask(stack, 'roles', {
    settings,
    image,
    fromOwnRepository: true,
    environment: {
      SERVICE: 'roles',
      DATABASE_URL: databaseUrl(data.database.host, databaseUsers.master, 'products'),
    },
    secrets: { PGPASSWORD: ecs.Secret.fromSecretsManager(data.masterSecret, 'password') },
  })
  const migration = createTask(stack, 'migration', {
    settings,
    image,
    fromOwnRepository: true,
    environment: migrationEnvironment({ region: stack.region, databaseHost: data.database.host }),
    command: ['--apply-grants'],
  })
  const owners: DatabaseUser[] = [databaseUsers.productsOwner, databaseUsers.notificationsOwner]
  for (const owner of owners) data.database.grantConnect(migration.taskRole, owner)

  const run = (name: string, task: ecs.FargateTaskDefinition) => {
    allow(stack, runner, cluster, task)
    return new CustomResource(stack, `${name}-run`, {
      serviceToken: runner.functionArn,
      resourceType: 'Custom::RunTask',
      serviceTimeout: Duration.minutes(15),
      properties: {
        Cluster: cluster.clusterName,
        // A new image makes a new revision, and a new revision makes CloudFormation run the task again.
        TaskDefinition: task.taskDefinitionArn,
        Subnets: network.vpc.selectSubnets({ subnetGroupName: 'private' }).subnetIds,
        SecurityGroup: network.groups.setup.securityGroupId,
        LogGroup: `/product-events/${name}`,
      },
    })
  }
  const rolesRun = run('roles', roles)
  const migrationRun = run('migration', migration)
  migrationRun.node.addDependency(rolesRun)
  return migrationRun
}

function createRunner(stack: Stack, settings: Settings): lambda.Function {
  const size = sizes[settings.size]
  const logGroup = new LogGroup(stack, 'task-runner-logs', {
    logGroupName: '/product-events/task-runner',
    retention: size.logDays,
    ...lifetime(size),
  })
  const role = new iam.Role(stack, 'task-runner-role', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  })
  logGroup.grantWrite(role)
  return new lambda.Function(stack, 'task-runner', {
    description: 'Runs an ECS task to its end before CloudFormation goes on',
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    handler: 'index.handler',
    code: lambda.Code.fromInline(code),
    timeout: Duration.minutes(15),
    memorySize: 256,
    logGroup,
    role,
  })
}

/** The function may start this task, look at it, and hand it its two roles. */
function allow(stack: Stack, runner: lambda.Function, cluster: ecs.Cluster, task: ecs.FargateTaskDefinition): void {
  const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } }
  runner.addToRolePolicy(
    new iam.PolicyStatement({ actions: ['ecs:RunTask'], resources: [task.taskDefinitionArn], conditions: inCluster }),
  )
  const logicalId = stack.getLogicalId(cluster.node.defaultChild as CfnElement)
  runner.addToRolePolicy(
    new iam.PolicyStatement({
      actions: ['ecs:DescribeTasks'],
      resources: [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` })],
    }),
  )
  runner.addToRolePolicy(
    new iam.PolicyStatement({
      actions: ['iam:PassRole'],
      resources: [task.taskRole.roleArn, task.obtainExecutionRole().roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
  )
  const role = runner.role ?? runner
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<${logicalId}>/*]`,
    reason: 'The id of a task is not known before it runs; the function may look at the tasks of this cluster only.',
  })
}
