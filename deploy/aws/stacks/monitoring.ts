import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import * as aps from 'aws-cdk-lib/aws-aps'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import * as sns from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import { collectorConfig, EMF_LOG_GROUP } from '../collector.ts'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import { createAlarms } from './alarms.ts'
import { alarmPublishers, type Data } from './data.ts'
import { lifetime } from './lifetime.ts'
import type { Network } from './network.ts'
import type { Services } from './services.ts'
import { createTask } from './tasks.ts'

const rules = join(import.meta.dirname, '..', '..', 'prometheus', 'rules')

/** The rules of this repository in Amazon Managed Prometheus, and alarms for what Prometheus cannot see. */
export function createMonitoring(
  scope: Construct,
  settings: Settings,
  network: Network,
  data: Data,
  services: Services,
): void {
  const stack = new Stack(scope, 'Monitoring', { stackName: 'product-events-monitoring' })
  const topic = createTopic(stack, settings, data)
  const workspace = new aps.CfnWorkspace(stack, 'Prometheus', {
    alias: 'product-events',
    alertManagerDefinition: alertManager(stack, topic),
  })
  for (const path of globSync('*.yaml', { cwd: rules }).toSorted())
    new aps.CfnRuleGroupsNamespace(stack, `rules-${basename(path, '.yaml')}`, {
      workspace: workspace.attrArn,
      name: basename(path, '.yaml'),
      data: readFileSync(join(rules, path), 'utf8'),
    })
  const collector = createCollector(stack, settings, network, services.cluster, workspace)
  createAlarms(stack, { topic, data, services: { ...services.services, collector }, balancer: services.balancer })
}

function createTopic(stack: Stack, { alarmEmail }: Settings, { key }: Data): sns.Topic {
  const topic = new sns.Topic(stack, 'Alarms', { topicName: 'product-events-alarms', masterKey: key, enforceSSL: true })
  topic.addSubscription(new EmailSubscription(alarmEmail))
  for (const service of alarmPublishers)
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        actions: ['sns:Publish', ...(service.startsWith('aps') ? ['sns:GetTopicAttributes'] : [])],
        principals: [new iam.ServicePrincipal(service)],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    )
  return topic
}

/** `page` is repeated until it ends; `ticket` once a day is enough. */
function alertManager(stack: Stack, topic: sns.Topic): string {
  const receiver = (name: string) => ({
    name,
    sns_configs: [
      {
        topic_arn: topic.topicArn,
        sigv4: { region: stack.region },
        attributes: { severity: name },
        subject: `product-events: ${name}`,
      },
    ],
  })
  const config = {
    route: {
      receiver: 'ticket',
      group_by: ['alertname', 'service'],
      group_wait: '10s',
      repeat_interval: '24h',
      routes: [{ receiver: 'page', matchers: ['severity="page"'], repeat_interval: '1h' }],
    },
    receivers: [receiver('page'), receiver('ticket')],
  }
  return stack.toJsonString({ alertmanager_config: JSON.stringify(config) })
}

function createCollector(
  stack: Stack,
  settings: Settings,
  network: Network,
  cluster: ecs.Cluster,
  workspace: aps.CfnWorkspace,
): ecs.FargateService {
  const size = sizes[settings.size]
  const remoteWriteUrl = `${workspace.attrPrometheusEndpoint}api/v1/remote_write`
  const task = createTask(stack, 'collector', {
    settings,
    image: ecs.ContainerImage.fromRegistry(settings.collectorImage),
    fromOwnRepository: false,
    environment: { AOT_CONFIG_CONTENT: collectorConfig({ region: stack.region, remoteWriteUrl }) },
    // The image has no user of the number 1000, and needs none.
    user: '65532',
  })
  const metrics = new LogGroup(stack, 'metrics', {
    logGroupName: EMF_LOG_GROUP,
    retention: size.logDays,
    ...lifetime(size),
  })
  metrics.grantWrite(task.taskRole)
  task.taskRole.addToPrincipalPolicy(
    new iam.PolicyStatement({ actions: ['aps:RemoteWrite'], resources: [workspace.attrArn] }),
  )
  return new ecs.FargateService(stack, 'collector', {
    serviceName: 'collector',
    cluster,
    taskDefinition: task,
    desiredCount: 1,
    vpcSubnets: { subnetGroupName: 'private' },
    securityGroups: [network.groups.collector],
    assignPublicIp: false,
    // Two collectors would write each sample twice.
    minHealthyPercent: 0,
    maxHealthyPercent: 100,
    circuitBreaker: { rollback: true },
  })
}
