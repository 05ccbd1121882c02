import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { databaseUsers, ports, type Program } from './names.ts'
import { rightsOf } from './rights-of.ts'
import { resources, type Resource, synthesise, variants } from './testing/synthesised.ts'

interface Statement {
  Effect: string
  Action: string | string[]
  Resource: unknown
  Principal?: unknown
  Condition?: Record<string, unknown>
}

const list = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value])

describe.each(Object.entries(variants))('%s', (_name, settings) => {
  const templates = synthesise(settings)
  const all = resources(templates)
  const ofType = (type: string) => all.filter(({ Type }) => Type === type)
  const statements = (resource: Resource) =>
    (resource.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement

  test('each role of a program has exactly the rights of deploy/aws/rights.ts, on the two queues and the key, and one database user', () => {
    for (const program of Object.keys(ports) as Program[]) {
      const { queue, deadLetterQueue, key } = rightsOf(program, settings)
      const policy = all.find(({ id }) => id.startsWith(`${program.replace('-', '')}taskTaskRoleDefaultPolicy`))
      if (program === 'relay' ? !settings.relay : program === 'console' && settings.egress === 'endpoints') {
        expect(policy).toBeUndefined()
        continue
      }
      const granted = policy ? statements(policy) : []
      const on = (pattern: RegExp) =>
        granted
          .filter(({ Resource }) => pattern.test(JSON.stringify(Resource)))
          .flatMap(({ Action }) => list(Action))
          .toSorted()
      expect(on(/Att(?!Dead)\w*Queue\w+Arn/), program).toEqual([...queue].toSorted())
      expect(on(/AttDeadLetterQueue/), program).toEqual([...deadLetterQueue].toSorted())
      expect(on(/AttKey/), program).toEqual([...key].toSorted())
      expect(on(/:rds-db:/), program).toEqual(['rds-db:connect'])
      expect(JSON.stringify(granted)).toContain(`/${databaseUsers[program]}"`)
      expect(granted).toHaveLength(1 + [queue, deadLetterQueue, key].filter(({ length }) => length > 0).length)
    }
  })

  test('no policy has a wildcard but the named ones', () => {
    const wildcards = ofType('AWS::IAM::Policy').flatMap((policy) =>
      statements(policy).flatMap(({ Action, Resource }) => {
        const actions = list(Action)
        const wide = actions.some((action) => action.includes('*')) || JSON.stringify(Resource).includes('*')
        return wide ? actions : []
      }),
    )
    // A token for ECR has no resource; the id of a task is not known before it runs.
    expect([...new Set(wildcards)].toSorted()).toEqual(['ecr:GetAuthorizationToken', 'ecs:DescribeTasks'])
    expect(ofType('AWS::IAM::Role').filter(({ Properties }) => 'ManagedPolicyArns' in Properties)).toEqual([])
  })

  test('nothing has a public address but the load balancer', () => {
    for (const { Properties } of ofType('AWS::ECS::Service'))
      expect(Properties['NetworkConfiguration']).toMatchObject({ AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } })
    for (const { Properties } of ofType('AWS::EC2::Subnet')) expect(Properties['MapPublicIpOnLaunch']).toBe(false)
    for (const { Properties } of ofType('AWS::RDS::DBInstance')) expect(Properties['PubliclyAccessible']).toBe(false)
    const open = ofType('AWS::EC2::SecurityGroup').flatMap(({ Properties }) =>
      ((Properties['SecurityGroupIngress'] ?? []) as { CidrIp?: string; FromPort: number }[]).filter(
        ({ CidrIp }) => CidrIp,
      ),
    )
    expect(open).toMatchObject([{ CidrIp: '0.0.0.0/0', FromPort: 443 }])
    if (settings.egress === 'endpoints') expect(ofType('AWS::EC2::NatGateway')).toEqual([])
  })

  test('every group of security names whom it lets in and out', () => {
    const rules = [...ofType('AWS::EC2::SecurityGroupIngress'), ...ofType('AWS::EC2::SecurityGroupEgress')]
    expect(rules.length).toBeGreaterThan(10)
    for (const { Properties } of rules) {
      expect(Properties['IpProtocol']).toBe('tcp')
      expect(Properties['FromPort']).toBe(Properties['ToPort'])
    }
    const toDatabase = rules.filter(
      ({ Properties, Type }) => Properties['FromPort'] === 5432 && Type.endsWith('Ingress'),
    )
    expect(toDatabase).toHaveLength(5)
  })

  test('every container has a read-only root, no root user, a log group that ends, and no shell', () => {
    const definitions = ofType('AWS::ECS::TaskDefinition')
    expect(definitions.length).toBeGreaterThanOrEqual(5)
    for (const { Properties } of definitions) {
      const [container] = Properties['ContainerDefinitions'] as Record<string, unknown>[]
      expect(container).toMatchObject({
        ReadonlyRootFilesystem: true,
        User: expect.stringMatching(/^[1-9]\d+$/) as string,
      })
      expect(JSON.stringify(container)).not.toMatch(/"(\/bin\/)?(sh|bash)"|CMD-SHELL|Privileged/)
      expect(Properties).toMatchObject({ RuntimePlatform: { CpuArchitecture: 'ARM64' }, Cpu: '256', Memory: '512' })
    }
    for (const { Properties } of ofType('AWS::Logs::LogGroup')) expect(Properties['RetentionInDays']).toBeGreaterThan(0)
  })

  test('every service rolls back, keeps its capacity, and waits for the migration and for its place behind the balancer', () => {
    for (const { Properties, DependsOn, id } of ofType('AWS::ECS::Service')) {
      const collector = Properties['ServiceName'] === 'collector'
      expect(Properties['DeploymentConfiguration']).toMatchObject({
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        ...(!collector && { MinimumHealthyPercent: 100, MaximumPercent: 200 }),
      })
      if (collector) continue
      expect(DependsOn, id).toEqual(expect.arrayContaining(['migrationrun']))
      if (Properties['ServiceName'] !== 'relay')
        expect(DependsOn, id).toEqual(expect.arrayContaining([expect.stringMatching(/rule/) as string]))
    }
    expect(all.find(({ id }) => id === 'migrationrun')?.DependsOn).toEqual(expect.arrayContaining(['rolesrun']))
  })

  test('the balancer asks /health/started on the port where each service has it', () => {
    const groups = ofType('AWS::ElasticLoadBalancingV2::TargetGroup').map(({ Properties }) => [
      Properties['Port'],
      Properties['HealthCheckPath'],
      Properties['HealthCheckPort'],
    ])
    const expected = [
      [8080, '/health/started', '8082'],
      [8081, '/health/started', '8083'],
      ...(settings.egress === 'nat' ? [[8084, '/health/started', '8084']] : []),
    ]
    expect(groups).toEqual(expected)
  })

  test('data is encrypted, and outlives its stack where the size says so', () => {
    const kept = settings.size === 'production'
    const [server] = [...ofType('AWS::RDS::DBCluster'), ...ofType('AWS::RDS::DBInstance')]
    expect(server?.Properties).toMatchObject({
      StorageEncrypted: true,
      EnableIAMDatabaseAuthentication: true,
      ManageMasterUserPassword: true,
      DeletionProtection: kept,
      EngineVersion: expect.stringMatching(/^\d+\.\d+$/) as string,
    })
    expect(server?.Properties['MasterUserPassword']).toBeUndefined()
    expect(server?.DeletionPolicy).toBe(kept ? 'Snapshot' : 'Delete')
    const queues = ofType('AWS::SQS::Queue')
    expect(queues).toHaveLength(2)
    for (const { Properties, DeletionPolicy } of queues) {
      expect(Properties['KmsMasterKeyId']).toBeDefined()
      expect(DeletionPolicy).toBe(kept ? 'Retain' : 'Delete')
    }
    const denials = ofType('AWS::SQS::QueuePolicy').flatMap((policy) => statements(policy))
    expect(denials).toHaveLength(2)
    for (const denial of denials)
      expect(denial).toMatchObject({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })
    expect(ofType('AWS::KMS::Key').every(({ Properties }) => Properties['EnableKeyRotation'])).toBe(true)
    expect(ofType('AWS::RDS::DBProxy')).toEqual([])
  })

  test('the rules of this repository are in Prometheus as they are', () => {
    const namespaces = ofType('AWS::APS::RuleGroupsNamespace')
    expect(namespaces.map(({ Properties }) => Properties['Name'])).toEqual(['api', 'path'])
    for (const { Properties } of namespaces) expect(Properties['Data']).toBe(rulesFile(String(Properties['Name'])))
  })

  test('every alarm tells the topic when it begins and when it ends', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm').filter(({ Properties }) => 'AlarmName' in Properties)
    expect(alarms.length).toBeGreaterThanOrEqual(10)
    for (const { Properties } of alarms)
      expect(Properties).toMatchObject({
        AlarmActions: [{ Ref: expect.any(String) as string }],
        OKActions: [{ Ref: expect.any(String) as string }],
        TreatMissingData: expect.any(String) as string,
      })
  })
})

function rulesFile(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'prometheus', 'rules', `${name}.yaml`), 'utf8')
}
