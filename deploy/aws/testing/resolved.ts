import { stackNames, type Templates } from './synthesised.ts'

const REGION = 'eu-central-1'
const ACCOUNT = '111122223333'

/**
 * What CloudFormation knows only at deployment, by the type of the resource: `Ref` and the attributes that are used.
 */
const samples: Record<string, (properties: Record<string, unknown>) => Record<string, string>> = {
  'AWS::SQS::Queue': ({ QueueName }) => ({
    Ref: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${String(QueueName)}`,
    Arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${String(QueueName)}`,
  }),
  'AWS::RDS::DBInstance': () => ({ 'Endpoint.Address': `product-events.abc.${REGION}.rds.amazonaws.com` }),
  'AWS::RDS::DBCluster': () => ({ 'Endpoint.Address': `product-events.cluster-abc.${REGION}.rds.amazonaws.com` }),
  'AWS::ElasticLoadBalancingV2::LoadBalancer': () => ({
    Ref: `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}:loadbalancer/app/Balancer/0123456789abcdef`,
  }),
}

/** A value of a template as a task would see it. Throws for an intrinsic function that it has no sample for. */
export function resolve(value: unknown, templates: Templates): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, templates))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [name, argument] = entries[0] ?? []
  if (entries.length !== 1 || name === undefined || !/^(Ref|Fn::.*)$/.test(name))
    return Object.fromEntries(entries.map(([key, inner]) => [key, resolve(inner, templates)]))
  return resolveFunction(name, argument, templates)
}

function resolveFunction(name: string, argument: unknown, templates: Templates): unknown {
  if (name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]]
    return parts.map((part) => String(resolve(part, templates))).join(separator)
  }
  if (name === 'Fn::ImportValue') return resolve(exported(String(argument), templates), templates)
  if (name === 'Ref' && argument === 'AWS::Region') return REGION
  if (name === 'Ref') return sample(String(argument), 'Ref', templates)
  if (name === 'Fn::GetAtt') {
    const [id, attribute] = argument as [string, string]
    return sample(id, attribute, templates)
  }
  throw new Error(`no sample for ${name} ${JSON.stringify(argument)}`)
}

function exported(name: string, templates: Templates): unknown {
  const outputs = stackNames.flatMap((stack) => Object.values(templates[stack].Outputs ?? {}))
  const output = outputs.find(({ Export }) => Export?.Name === name)
  if (!output) throw new Error(`no stack exports ${name}`)
  return output.Value
}

function sample(id: string, attribute: string, templates: Templates): string {
  const resource = stackNames.map((stack) => templates[stack].Resources[id]).find((found) => found !== undefined)
  const value = resource && samples[resource.Type]?.(resource.Properties)[attribute]
  if (value === undefined)
    throw new Error(`no sample for ${attribute} of ${id} (${resource?.Type ?? 'no such resource'})`)
  return value
}
