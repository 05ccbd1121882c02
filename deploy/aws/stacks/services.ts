import { CfnOutput, Duration, Stack } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import { DnsRecordType } from 'aws-cdk-lib/aws-servicediscovery'
import type { Construct, IDependable } from 'constructs'
import { type Addresses, environmentOf } from '../environment.ts'
import { databaseUsers, health, ports, type Program } from '../names.ts'
import { rightsOf } from '../rights-of.ts'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import { type Balancer, createBalancer } from './balancer.ts'
import type { Data } from './data.ts'
import type { Network } from './network.ts'
import { scaleApi, scaleConsumer, scaleRelay } from './scaling.ts'
import { createSetup } from './setup.ts'
import { createTask } from './tasks.ts'

export interface Services {
  cluster: ecs.Cluster
  balancer: Balancer
  services: Partial<Record<Program, ecs.FargateService>>
}

interface Surroundings {
  stack: Stack
  settings: Settings
  network: Network
  data: Data
  cluster: ecs.Cluster
  image: ecs.ContainerImage
  balancer: Balancer
  /** What each service waits for at a rollout. */
  migrated: IDependable
}

/** A task that does not become healthy within this time counts as failed; a start takes seconds. */
const START_GRACE = Duration.seconds(60)

export function createServices(scope: Construct, settings: Settings, network: Network, data: Data): Services {
  const stack = new Stack(scope, 'Services', { stackName: 'product-events-services' })
  const size = sizes[settings.size]
  const cluster = new ecs.Cluster(stack, 'Cluster', {
    clusterName: 'product-events',
    vpc: network.vpc,
    containerInsightsV2: ecs.ContainerInsights.ENABLED,
  })
  const image = ecs.ContainerImage.fromEcrRepository(data.images, settings.imageTag)
  const balancer = createBalancer(stack, settings, network)
  const migrated = createSetup(stack, settings, network, data, cluster, image)
  const surroundings: Surroundings = { stack, settings, network, data, cluster, image, balancer, migrated }

  const api = createService('product-service', size.productService.min, surroundings)
  const consumer = createService('notification-service', size.notificationService.min, surroundings)
  scaleApi(api, balancer.route('product-service', api), size.productService)
  balancer.route('notification-service', consumer)
  scaleConsumer(consumer, data.queue, size.notificationService)
  const services: Services['services'] = { 'product-service': api, 'notification-service': consumer }
  if (settings.relay) {
    services.relay = createService('relay', size.relay.min, surroundings)
    scaleRelay(services.relay, size.relay)
  }
  // Without a route to the internet the console cannot read the keys with which the load balancer signs.
  if (settings.egress === 'nat') {
    services.console = createService('console', 1, surroundings)
    balancer.routeSignedIn('console', services.console)
  }
  new CfnOutput(stack, 'BalancerName', { value: balancer.dnsName, description: 'The three hosts are aliases of this' })
  return { cluster, balancer, services }
}

function createService(program: Program, desiredCount: number, at: Surroundings): ecs.FargateService {
  const { stack, settings, network, data } = at
  const addresses: Addresses = {
    region: stack.region,
    databaseHost: data.database.host,
    queueUrl: data.queue.queueUrl,
    balancerArn: at.balancer.arn,
  }
  const task = createTask(stack, program, {
    settings,
    image: at.image,
    fromOwnRepository: true,
    environment: environmentOf(program, settings, addresses),
    ports: Object.values(ports[program]),
    // The load balancer asks the others.
    ...(program === 'relay' && { healthCheck: ownHealthCheck }),
  })
  grant(program, settings, task.taskRole, data)
  const service = new ecs.FargateService(stack, program, {
    serviceName: program,
    cluster: at.cluster,
    taskDefinition: task,
    desiredCount,
    vpcSubnets: { subnetGroupName: 'private' },
    securityGroups: [network.groups[program]],
    assignPublicIp: false,
    // A task is started before another one is stopped, so capacity never falls below the desired count.
    minHealthyPercent: 100,
    maxHealthyPercent: 200,
    circuitBreaker: { rollback: true },
    availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
    propagateTags: ecs.PropagatedTagSource.SERVICE,
    cloudMapOptions: {
      name: program,
      cloudMapNamespace: network.namespace,
      dnsRecordType: DnsRecordType.A,
      dnsTtl: Duration.seconds(15),
    },
    ...(program !== 'relay' && { healthCheckGracePeriod: START_GRACE }),
  })
  service.node.addDependency(at.migrated)
  return service
}

/**
 * ECS ignores the image's HEALTHCHECK. `live` checks no dependency: a database that is down must not restart the relay.
 */
const ownHealthCheck: ecs.HealthCheck = {
  command: ['CMD', 'node', 'health.js', health.live],
  interval: Duration.seconds(30),
  timeout: Duration.seconds(10),
  retries: 3,
  startPeriod: START_GRACE,
}

/** The rights of `deploy/aws/rights.ts`, on these two queues and this key, and the one database user. */
function grant(program: Program, settings: Settings, role: iam.IRole, data: Data): void {
  const { queue, deadLetterQueue, key, database } = data
  const { queue: ofQueue, deadLetterQueue: ofDeadLetterQueue, key: ofKey } = rightsOf(program, settings)
  const allow = (actions: readonly string[], resource: string) => {
    if (actions.length === 0) return
    role.addToPrincipalPolicy(new iam.PolicyStatement({ actions: [...actions], resources: [resource] }))
  }
  allow(ofQueue, queue.queueArn)
  allow(ofDeadLetterQueue, deadLetterQueue.queueArn)
  allow(ofKey, key.keyArn)
  database.grantConnect(role, databaseUsers[program])
}
