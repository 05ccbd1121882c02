import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import {
  databaseKinds,
  type Kind,
  optional,
  queueName,
  queueUrl,
  readConfig,
  readDatabase,
  secretUrl,
  StartError,
  text,
  url,
} from '@product-events/process'
import { type Credentials, withDatabaseName } from '@product-events/database'

/** The services with an outbox, and the database of each where DATABASE_URL names none. */
const databases = { 'product-service': 'products', 'notification-service': 'notifications' } as const

export type Service = keyof typeof databases
export const services = ['product-service', 'notification-service'] as const satisfies Service[]

/** Each of these says where a deployment is: then the stack of `npm start` is not meant. */
const ADDRESSES = [
  'DATABASE_URL',
  'PRODUCTS_DATABASE_URL',
  'NOTIFICATIONS_DATABASE_URL',
  'SQS_QUEUE_URL',
  'AWS_ENDPOINT_URL_SQS',
  'PRODUCT_SERVICE_OPERATIONS_URL',
  'NOTIFICATION_SERVICE_OPERATIONS_URL',
]

/**
 * Adds the variables that `npm start` left in its data directory to `env`, if no address is set there. Returns the
 * file, so that the command can say so; undefined if it is not used.
 */
export function readStackConfig(env: NodeJS.ProcessEnv): string | undefined {
  if (ADDRESSES.some((name) => env[name])) return undefined
  const file = join(env.DATA_DIR || '.data', 'stack.env')
  try {
    Object.assign(env, { ...parseEnv(readFileSync(file, 'utf8')), ...env })
    return file
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new StartError(`the variables of npm start cannot be read: ${message}`)
  }
}

const database = (name: string) =>
  optional(secretUrl(['postgres', 'postgresql'], `postgres://user:password@host:5432/${name}`))

/** The database of each service, as the service itself finds it. Throws a `StartError` that names what is wrong. */
export function readOperationsConfig(env: NodeJS.ProcessEnv): Record<Service, string> {
  const variables = readConfig(env, {
    DATABASE_URL: database('name'),
    PRODUCTS_DATABASE_URL: database('products'),
    NOTIFICATIONS_DATABASE_URL: database('notifications'),
  })
  const urlOf = (own: string | undefined, name: string): string => {
    if (own !== undefined) return own
    if (variables.DATABASE_URL !== undefined) return withDatabaseName(variables.DATABASE_URL, name)
    throw new StartError(
      'configuration: DATABASE_URL is not set: it must be a URL like postgres://user:password@host:5432. ' +
        'On this machine, start the stack with npm start: the commands then find it',
    )
  }
  return {
    'product-service': urlOf(variables.PRODUCTS_DATABASE_URL, databases['product-service']),
    'notification-service': urlOf(variables.NOTIFICATIONS_DATABASE_URL, databases['notification-service']),
  }
}

/** Where SQS and its queue are. */
export function readQueueConfig(env: NodeJS.ProcessEnv) {
  const variables = readConfig(env, {
    SQS_QUEUE_NAME: queueName,
    SQS_QUEUE_URL: queueUrl,
    AWS_REGION: text('an AWS region such as eu-central-1'),
    AWS_ENDPOINT_URL_SQS: optional(url(['http', 'https'])),
  })
  return {
    queueName: variables.SQS_QUEUE_NAME,
    queueUrl: variables.SQS_QUEUE_URL,
    awsRegion: variables.AWS_REGION,
    sqsEndpoint: variables.AWS_ENDPOINT_URL_SQS,
  }
}

/** The database of each service, and the credentials for both. */
export interface DatabasesConfig {
  urls: Record<Service, string>
  credentials: Credentials
}

/** Reads where the databases are, for commands and console. Throws a `StartError` that names what is wrong. */
export function readDatabasesConfig(env: NodeJS.ProcessEnv): DatabasesConfig {
  const { DATABASE_URL: _, ...kinds } = databaseKinds('products')
  const variables = readConfig(env, { ...kinds, AWS_REGION: text('an AWS region such as eu-central-1', 'us-east-1') })
  const urls = readOperationsConfig(env)
  const { credentials } = readDatabase({ ...variables, DATABASE_URL: urls['product-service'] }, 'products')
  return { urls, credentials }
}

/** Where metrics and health of each service are, one URL for each of its processes, and what the terminal can do. */
export interface StatusConfig {
  urls: Record<Service, string[]>
  /** Not with NO_COLOR (https://no-color.org), nor in a terminal that is dumb. */
  colours: boolean
  /** Whether the terminal can be drawn on again. */
  redraws: boolean
  /** Whether anything says where PostgreSQL and SQS are. */
  hasSources: boolean
}

/** Reads the environment of `npm run status`. Throws a `StartError` that names what is wrong. */
export function readStatusConfig(env: NodeJS.ProcessEnv): StatusConfig {
  const config = readConfig(env, {
    PRODUCT_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8082']),
    NOTIFICATION_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8083']),
    NO_COLOR: text('anything', ''),
    TERM: text('the kind of terminal', ''),
  })
  return {
    urls: {
      'product-service': config.PRODUCT_SERVICE_OPERATIONS_URL,
      'notification-service': config.NOTIFICATION_SERVICE_OPERATIONS_URL,
    },
    colours: config.NO_COLOR === '' && config.TERM !== 'dumb',
    redraws: config.TERM !== 'dumb',
    hasSources:
      Boolean(env.DATABASE_URL ?? (env.PRODUCTS_DATABASE_URL && env.NOTIFICATIONS_DATABASE_URL)) &&
      Boolean(env.AWS_REGION),
  }
}

export const OPERATIONS_URLS = 'http://host:port, or several of those with commas between'

/** The URLs, without a slash at their ends; undefined when one is none, or has a password that would be shown. */
export function parseOperationsUrls(text: string): string[] | undefined {
  const urls = text.split(',').map((url) => url.trim().replace(/\/+$/, ''))
  return urls.every(isPlainUrl) ? urls : undefined
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username + password === ''
}

export function operationsUrls(fallback: string[]): Kind<string[]> {
  return { expected: OPERATIONS_URLS, parse: parseOperationsUrls, secret: true, fallback: { value: fallback } }
}
