import { Aws, Duration, SecretValue, type Stack, Validations } from 'aws-cdk-lib'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as s3 from 'aws-cdk-lib/aws-s3'
import { health, ports } from '../names.ts'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import type { Network } from './network.ts'

type Api = 'product-service' | 'notification-service'

export interface Balancer {
  arn: string
  dnsName: string
  /** The name under which CloudWatch knows it: app/<name>/<id>. */
  fullName: string
  groups: Record<string, elb.ApplicationTargetGroup>
  /** Sends a host's requests to a service. Resolves to the target group, which knows how many requests it gets. */
  route: (program: Api, service: FargateService) => elb.ApplicationTargetGroup
  /** The same for people: the load balancer signs them in, and tells the service who they are. */
  routeSignedIn: (program: 'console', service: FargateService) => elb.ApplicationTargetGroup
}

const hosts = { 'product-service': 'products', 'notification-service': 'notifications', console: 'console' } as const
/** Longer than the check needs to notice that a task is going; ECS sends SIGTERM after it. */
const DRAIN = Duration.seconds(15)

/** TLS only. What asks for an unknown host gets 404 from the balancer itself. */
export function createBalancer(stack: Stack, settings: Settings, network: Network): Balancer {
  const size = sizes[settings.size]
  const balancer = new elb.ApplicationLoadBalancer(stack, 'Balancer', {
    vpc: network.vpc,
    internetFacing: true,
    vpcSubnets: { subnetGroupName: 'public' },
    securityGroup: network.groups.balancer,
    dropInvalidHeaderFields: true,
    desyncMitigationMode: elb.DesyncMitigationMode.STRICTEST,
    deletionProtection: size.kept,
    // The services keep connections for 72 s: the side that sends must be the one that closes.
    idleTimeout: Duration.seconds(60),
  })
  logRequests(stack, balancer, size.kept)
  const listener = balancer.addListener('Https', {
    port: 443,
    protocol: elb.ApplicationProtocol.HTTPS,
    sslPolicy: elb.SslPolicy.TLS13_RES,
    certificates: [elb.ListenerCertificate.fromArn(settings.certificateArn)],
    open: false,
    defaultAction: elb.ListenerAction.fixedResponse(404),
  })
  const groups: Balancer['groups'] = {}
  const target = (program: keyof typeof hosts, service: FargateService) => {
    const own = ports[program]
    return (groups[program] = new elb.ApplicationTargetGroup(stack, `${program}-targets`, {
      vpc: network.vpc,
      port: own.http,
      protocol: elb.ApplicationProtocol.HTTP,
      targets: [service.loadBalancerTarget({ containerName: program, containerPort: own.http })],
      deregistrationDelay: DRAIN,
      // `started` asks no dependency: ECS would replace every task at once while the database fails over.
      healthCheck: {
        path: health.started,
        port: String('operations' in own ? own.operations : own.http),
        interval: Duration.seconds(5),
        timeout: Duration.seconds(4),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
        healthyHttpCodes: '200',
      },
    }))
  }
  const addRule = (program: keyof typeof hosts, priority: number, action: elb.ListenerAction) =>
    new elb.ApplicationListenerRule(stack, `${program}-rule`, {
      listener,
      priority,
      conditions: [elb.ListenerCondition.hostHeaders([`${hosts[program]}.${settings.domain}`])],
      action,
    })
  return {
    arn: balancer.loadBalancerArn,
    dnsName: balancer.loadBalancerDnsName,
    fullName: balancer.loadBalancerFullName,
    groups,
    route(program, service) {
      const group = target(program, service)
      addRule(program, program === 'product-service' ? 1 : 2, elb.ListenerAction.forward([group]))
      return group
    },
    routeSignedIn(program, service) {
      const group = target(program, service)
      addRule(program, 3, signIn(settings, elb.ListenerAction.forward([group])))
      return group
    },
  }
}

function signIn({ signIn }: Settings, next: elb.ListenerAction): elb.ListenerAction {
  const { clientSecretName, ...client } = signIn
  return elb.ListenerAction.authenticateOidc({
    ...client,
    clientSecret: SecretValue.secretsManager(clientSecretName),
    scope: 'openid email',
    // A shift: an operator who has left is signed out on the same day.
    sessionTimeout: Duration.hours(8),
    next,
  })
}

/** By hand: the method of the CDK wants to know the region, and these templates fit every region. */
function logRequests(stack: Stack, balancer: elb.ApplicationLoadBalancer, kept: boolean): void {
  const bucket = new s3.Bucket(stack, 'RequestLogs', {
    enforceSSL: true,
    // The load balancer can write to no other kind of encryption.
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    lifecycleRules: [{ expiration: Duration.days(kept ? 90 : 7) }],
  })
  bucket.addToResourcePolicy(
    new iam.PolicyStatement({
      actions: ['s3:PutObject'],
      principals: [new iam.ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
      resources: [bucket.arnForObjects(`AWSLogs/${Aws.ACCOUNT_ID}/*`)],
    }),
  )
  balancer.setAttribute('access_logs.s3.enabled', 'true')
  balancer.setAttribute('access_logs.s3.bucket', bucket.bucketName)
  if (bucket.policy) balancer.node.addDependency(bucket.policy)
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason: 'This bucket holds access logs; logging the access to it would need a bucket without end.',
  })
}
