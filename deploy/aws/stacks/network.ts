import { Stack, Validations } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { NAMESPACE, ports } from '../names.ts'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import { lifetime } from './lifetime.ts'

export interface Network {
  vpc: ec2.Vpc
  namespace: PrivateDnsNamespace
  groups: Record<Group, ec2.SecurityGroup>
}

const groupNames = [
  'balancer',
  'product-service',
  'notification-service',
  'relay',
  'console',
  'setup',
  'collector',
  'database',
] as const
type Group = (typeof groupNames)[number]

/** Groups whose tasks call AWS, the token issuer or a channel over HTTPS. */
const callers = ['product-service', 'notification-service', 'relay', 'console', 'setup', 'collector'] as const

/** Two zones. Only the load balancer and the NAT have public addresses; each task is in a private subnet. */
export function createNetwork(scope: Construct, settings: Settings): Network {
  const stack = new Stack(scope, 'Network', { stackName: 'product-events-network' })
  const closed = settings.egress === 'endpoints'
  const vpc = new ec2.Vpc(stack, 'Vpc', {
    maxAzs: 2,
    natGateways: closed ? 0 : 1,
    restrictDefaultSecurityGroup: false,
    subnetConfiguration: [
      { name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
      {
        name: 'private',
        subnetType: closed ? ec2.SubnetType.PRIVATE_ISOLATED : ec2.SubnetType.PRIVATE_WITH_EGRESS,
        cidrMask: 22,
      },
      { name: 'database', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
    ],
  })
  vpc.addFlowLog('FlowLog', {
    trafficType: ec2.FlowLogTrafficType.REJECT,
    destination: ec2.FlowLogDestination.toCloudWatchLogs(
      new LogGroup(stack, 'FlowLogs', { retention: RetentionDays.ONE_MONTH, ...lifetime(sizes[settings.size]) }),
    ),
  })
  const groups = createGroups(stack, vpc)
  openPaths(groups, settings)
  if (closed) addEndpoints(stack, vpc, groups)
  return { vpc, groups, namespace: new PrivateDnsNamespace(stack, 'Namespace', { name: NAMESPACE, vpc }) }
}

function createGroups(stack: Stack, vpc: ec2.Vpc): Network['groups'] {
  const group = (name: Group) =>
    new ec2.SecurityGroup(stack, `${name}-group`, {
      vpc,
      allowAllOutbound: false,
      description: `product-events ${name}`,
    })
  return Object.fromEntries(groupNames.map((name) => [name, group(name)])) as Network['groups']
}

/** Every path that is open, from whom to whom. */
function openPaths(groups: Network['groups'], settings: Settings): void {
  const open = (from: ec2.SecurityGroup, to: ec2.SecurityGroup, port: number) => {
    from.connections.allowTo(to, ec2.Port.tcp(port))
  }
  for (const range of settings.callers) groups.balancer.addIngressRule(ec2.Peer.ipv4(range), ec2.Port.tcp(443))
  Validations.of(groups.balancer).acknowledge({
    id: 'AwsSolutions-EC23',
    reason: 'The load balancer is the public entrance. The setting `callers` narrows it; both APIs require tokens.',
  })
  for (const name of ['product-service', 'notification-service'] as const) {
    open(groups.balancer, groups[name], ports[name].http)
    // The balancer's health check, the collector's scrape, the console's questions.
    for (const asker of ['balancer', 'collector', 'console'] as const)
      open(groups[asker], groups[name], ports[name].operations)
  }
  open(groups.balancer, groups.console, ports.console.http)
  open(groups.collector, groups.relay, ports.relay.operations)
  for (const name of ['product-service', 'notification-service', 'relay', 'console', 'setup'] as const)
    open(groups[name], groups.database, 5432)
  // The balancer exchanges codes for tokens at the identity provider when an operator signs in to the console.
  if (settings.egress === 'nat') groups.balancer.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443))
  // Any address: without a NAT the routes lead to the endpoints only.
  for (const name of callers) groups[name].addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443))
}

/** The services of AWS that the tasks call, without a route to the internet. */
function addEndpoints(stack: Stack, vpc: ec2.Vpc, groups: Network['groups']): void {
  // ECR keeps the layers of images in S3.
  vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 })
  const group = new ec2.SecurityGroup(stack, 'endpoints-group', {
    vpc,
    allowAllOutbound: false,
    description: 'product-events endpoints',
  })
  for (const name of callers) group.addIngressRule(groups[name], ec2.Port.tcp(443))
  const services = {
    Sqs: ec2.InterfaceVpcEndpointAwsService.SQS,
    EcrApi: ec2.InterfaceVpcEndpointAwsService.ECR,
    EcrImages: ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    Secrets: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    Prometheus: ec2.InterfaceVpcEndpointAwsService.PROMETHEUS_WORKSPACES,
  }
  for (const [name, service] of Object.entries(services))
    vpc.addInterfaceEndpoint(name, {
      service,
      open: false,
      securityGroups: [group],
      subnets: { subnetGroupName: 'private' },
    })
}
