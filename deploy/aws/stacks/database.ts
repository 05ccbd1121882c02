import { Duration, RemovalPolicy, type Stack, Validations } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { Key } from 'aws-cdk-lib/aws-kms'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import * as rds from 'aws-cdk-lib/aws-rds'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { type DatabaseUser, databases, databaseUsers } from '../names.ts'
import type { Settings } from '../settings.ts'
import { type Size, sizes } from '../sizes.ts'
import { lifetime } from './lifetime.ts'
import type { Network } from './network.ts'

/** The one PostgreSQL server, with a database for each service. */
export interface Database {
  host: string
  /** Lets a task connect as that user, and no other, with a token of IAM instead of a password. */
  grantConnect: (task: IGrantable, user: DatabaseUser) => void
  /** The name and dimensions under which CloudWatch knows it. */
  dimensions: Record<string, string>
}

/** Applies to each session: a connection without TLS is refused, and statements above a second are logged. */
const parameters = { 'rds.force_ssl': '1', log_min_duration_statement: '1000', log_lock_waits: '1' }
const IDENTIFIER = 'product-events'
/** A full version: RDS refuses a bare major version for a new server. */
const instanceVersion = rds.PostgresEngineVersion.VER_18_3
const clusterVersion = rds.AuroraPostgresEngineVersion.VER_18_4

export function createDatabase(
  stack: Stack,
  settings: Settings,
  network: Network,
  key: Key,
): { database: Database; masterSecret: ISecret } {
  const size = sizes[settings.size]
  const server =
    settings.database === 'aurora'
      ? createCluster(stack, size, network, key)
      : createInstance(stack, size, network, key)
  if (!server.secret) throw new Error('RDS was told to manage the secret of the master user and did not')
  acknowledge(server, settings.database, size)
  const dimensions: Record<string, string> =
    settings.database === 'aurora' ? { DBClusterIdentifier: IDENTIFIER } : { DBInstanceIdentifier: IDENTIFIER }
  return {
    masterSecret: server.secret,
    database: {
      host: server instanceof rds.DatabaseCluster ? server.clusterEndpoint.hostname : server.dbInstanceEndpointAddress,
      grantConnect: (task, user) => void server.grantConnect(task, user),
      dimensions,
    },
  }
}

/** What cdk-nag finds and is meant to be so. */
function acknowledge(server: Construct, kind: Settings['database'], { kept, standby }: Size): void {
  const onInstance = [
    {
      id: 'AwsSolutions-RDS11',
      reason: "The port is PostgreSQL's own; security groups open it to the tasks of this system only.",
    },
    ...(standby ? [] : [{ id: 'AwsSolutions-RDS3', reason: 'A trial has no standby: its data may be lost.' }]),
  ]
  Validations.of(server).acknowledge(
    ...(kind === 'instance' ? onInstance : []),
    ...(kept ? [] : [{ id: 'AwsSolutions-RDS10', reason: 'A trial must be possible to delete in one step.' }]),
  )
}

function createInstance(stack: Stack, size: Size, network: Network, key: Key): rds.DatabaseInstance {
  const engine = rds.DatabaseInstanceEngine.postgres({ version: instanceVersion })
  const logs = exportedLogs(stack, size, `/aws/rds/instance/${IDENTIFIER}/postgresql`)
  const instance = new rds.DatabaseInstance(stack, 'Database', {
    ...common(size, network, key),
    engine,
    instanceIdentifier: IDENTIFIER,
    databaseName: databases.products,
    credentials: rds.Credentials.fromUsername(databaseUsers.master),
    manageMasterUserPassword: true,
    instanceType: new ec2.InstanceType(size.databaseClass),
    multiAz: size.standby,
    storageType: rds.StorageType.GP3,
    allocatedStorage: 20,
    // Storage grows automatically: a full disk is the one outage that no retry ends.
    maxAllocatedStorage: 200,
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
    caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
    enablePerformanceInsights: true,
    performanceInsightEncryptionKey: key,
    deleteAutomatedBackups: !size.kept,
    backupRetention: Duration.days(size.backupDays),
    parameterGroup: new rds.ParameterGroup(stack, 'Parameters', { engine, parameters }),
    securityGroups: [network.groups.database],
  })
  instance.node.addDependency(logs)
  return instance
}

function createCluster(stack: Stack, size: Size, network: Network, key: Key): rds.DatabaseCluster {
  const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: clusterVersion })
  const logs = exportedLogs(stack, size, `/aws/rds/cluster/${IDENTIFIER}/postgresql`)
  const server = {
    caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
    enablePerformanceInsights: true,
    performanceInsightEncryptionKey: key,
  }
  const cluster = new rds.DatabaseCluster(stack, 'Database', {
    ...common(size, network, key),
    engine,
    clusterIdentifier: IDENTIFIER,
    defaultDatabaseName: databases.products,
    credentials: rds.Credentials.fromUsername(databaseUsers.master),
    manageMasterUserPassword: true,
    writer: rds.ClusterInstance.serverlessV2('Writer', server),
    readers: size.standby ? [rds.ClusterInstance.serverlessV2('Standby', { ...server, scaleWithWriter: true })] : [],
    serverlessV2MinCapacity: 0.5,
    serverlessV2MaxCapacity: 8,
    backup: { retention: Duration.days(size.backupDays) },
    parameterGroup: new rds.ParameterGroup(stack, 'Parameters', { engine, parameters }),
    securityGroups: [network.groups.database],
  })
  cluster.node.addDependency(logs)
  return cluster
}

function common(size: Size, { vpc }: Network, storageEncryptionKey: Key) {
  return {
    vpc,
    vpcSubnets: { subnetGroupName: 'database' },
    storageEncrypted: true,
    storageEncryptionKey,
    iamAuthentication: true,
    deletionProtection: size.kept,
    removalPolicy: size.kept ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
    cloudwatchLogsExports: ['postgresql'],
    copyTagsToSnapshot: true,
  }
}

/** Made before the server: RDS would make the group itself, and keep its lines for ever. */
function exportedLogs(stack: Stack, size: Size, logGroupName: string): LogGroup {
  return new LogGroup(stack, 'DatabaseLogs', { logGroupName, retention: size.logDays, ...lifetime(size) })
}
