import { Duration, type Stack, Validations } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import { lifetime } from './lifetime.ts'

export interface TaskOptions {
  settings: Settings
  image: ecs.ContainerImage
  /** An image of ECR, which needs rights to be pulled. */
  fromOwnRepository: boolean
  environment: Record<string, string>
  ports?: readonly number[]
  secrets?: Record<string, ecs.Secret>
  command?: string[]
  entryPoint?: string[]
  healthCheck?: ecs.HealthCheck
  user?: string
}

/** A quarter of a processor. Idle memory is below 100 MB; the rest is for requests and for batches under load. */
const CPU = 256
const MEMORY_MIB = 512
/** A process ends within 10 s of SIGTERM; after this time ECS kills it. */
const STOP_SECONDS = 30
/** The user `node` of the image, by number: a user by name needs /etc/passwd to be the expected one. */
const NODE_USER = '1000'

/** A task of one container: no root user, a read-only root, a log group, and a role without any right yet. */
export function createTask(stack: Stack, name: string, options: TaskOptions): ecs.FargateTaskDefinition {
  const size = sizes[options.settings.size]
  const task = new ecs.FargateTaskDefinition(stack, `${name}-task`, {
    family: `product-events-${name}`,
    cpu: CPU,
    memoryLimitMiB: MEMORY_MIB,
    runtimePlatform: {
      cpuArchitecture: ecs.CpuArchitecture.ARM64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  })
  const logGroup = new LogGroup(stack, `${name}-logs`, {
    logGroupName: `/product-events/${name}`,
    retention: size.logDays,
    ...lifetime(size),
  })
  task.addContainer(name, {
    image: options.image,
    environment: options.environment,
    readonlyRootFilesystem: true,
    user: options.user ?? NODE_USER,
    stopTimeout: Duration.seconds(STOP_SECONDS),
    // Lines wait in memory while CloudWatch does not answer; a full buffer drops lines and never blocks the service.
    logging: ecs.LogDrivers.awsLogs({ logGroup, streamPrefix: name, mode: ecs.AwsLogDriverMode.NON_BLOCKING }),
    portMappings: (options.ports ?? []).map((containerPort) => ({ containerPort })),
    ...(options.secrets && { secrets: options.secrets }),
    ...(options.command && { command: options.command }),
    ...(options.entryPoint && { entryPoint: options.entryPoint }),
    ...(options.healthCheck && { healthCheck: options.healthCheck }),
  })
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'The variables hold names and addresses. The database password is a token of IAM, secrets come as secrets.',
  })
  if (options.fromOwnRepository)
    Validations.of(task).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken knows no resource: AWS requires `*` for it. Nothing else has a wildcard.',
    })
  return task
}
