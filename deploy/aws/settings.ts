import { readFileSync } from 'node:fs'

/** What one installation decides. The file is given on the command line; `settings.example.json` shows all of it. */
export interface Settings {
  /** The hosts are products.<domain>, notifications.<domain> and console.<domain>. */
  domain: string
  /** A certificate of AWS Certificate Manager for the three hosts, in the region of the stacks. */
  certificateArn: string
  /** The address ranges that may reach the load balancer. */
  callers: string[]
  /** Who signs the tokens that both APIs require. */
  tokens: { jwksUrl: string; issuer: string; audience: string }
  /** The OpenID Connect client with which the load balancer signs people in to the console. */
  signIn: {
    issuer: string
    authorizationEndpoint: string
    tokenEndpoint: string
    userInfoEndpoint: string
    clientId: string
    /** The name of the secret of AWS Secrets Manager that holds the client's secret as plain text. */
    clientSecretName: string
  }
  alarmEmail: string
  /** The tag of the image in the repository `product-events`. */
  imageTag: string
  /** A name that ends in .fifo makes the queue and its dead-letter queue FIFO. */
  queueName: string
  size: 'production' | 'trial'
  database: 'instance' | 'aurora'
  /**
   * `endpoints`: no route to the internet, so the token issuer must be reachable inside the network. No console then.
   */
  egress: 'nat' | 'endpoints'
  /** Whether the relay runs as a service of its own, apart from the API. */
  relay: boolean
  /** The AWS Distro for OpenTelemetry collector. With `endpoints`, name a copy of the image in ECR. */
  collectorImage: string
}

const text = /^\S+$/
const https = /^https:\/\/\S+$/
const patterns: Record<string, RegExp> = {
  domain: /^[a-z0-9-]+(\.[a-z0-9-]+)+$/,
  certificateArn: /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/\S+$/,
  'tokens.jwksUrl': https,
  'tokens.issuer': https,
  'tokens.audience': text,
  'signIn.issuer': https,
  'signIn.authorizationEndpoint': https,
  'signIn.tokenEndpoint': https,
  'signIn.userInfoEndpoint': https,
  'signIn.clientId': text,
  'signIn.clientSecretName': text,
  alarmEmail: /^\S+@\S+$/,
  // `latest` would make two deployments of the same template differ.
  imageTag: /^(?!latest$)[\w][\w.-]{0,127}$/,
  // `<name>-dlq` must fit into the 80 characters of SQS, too.
  queueName: /^(?=.{1,76}$)[A-Za-z0-9_-]+(\.fifo)?$/,
  size: /^(production|trial)$/,
  database: /^(instance|aurora)$/,
  egress: /^(nat|endpoints)$/,
  relay: /^(true|false)$/,
  collectorImage: /^\S+:[\w][\w.-]*$/,
}

/**
 * Reads and checks a settings file. Throws one error that names every setting that is missing, malformed or unknown.
 */
export function readSettings(path: string): Settings {
  return checkSettings(JSON.parse(readFileSync(path, 'utf8')), path)
}

export function checkSettings(json: unknown, path: string): Settings {
  const { callers, ...rest } = json as Record<string, unknown>
  const values = flatten(rest)
  const faults = [
    ...Object.entries(patterns)
      .filter(([name, pattern]) => !pattern.test(values[name] ?? ''))
      .map(([name, pattern]) => `${name} must match ${pattern}, not ${JSON.stringify(values[name])}`),
    ...Object.keys(values)
      .filter((name) => !(name in patterns))
      .map((name) => `${name} is unknown`),
  ]
  const isRange = (range: unknown) => typeof range === 'string' && /^\d+(\.\d+){3}\/\d+$/.test(range)
  if (!Array.isArray(callers) || callers.length === 0 || !callers.every(isRange))
    faults.push('callers must be a list of address ranges, such as ["203.0.113.0/24"]')
  if (faults.length > 0) throw new Error(`${path}: ${faults.join('; ')}`)
  return json as Settings
}

function flatten(object: Record<string, unknown>, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null
        ? Object.entries(flatten(value as Record<string, unknown>, `${prefix}${name}.`))
        : [[prefix + name, String(value)]],
    ),
  )
}
