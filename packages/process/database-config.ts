import { type Credentials, withDatabaseName } from '@product-events/database'
import { type Kind, oneOf, optional, secretUrl, text } from './read-config.ts'
import { StartError } from './start-error.ts'

/** A service's database, and how it is migrated. */
export interface DatabaseConfig {
  url: string
  credentials: Credentials
  /** `off`: `npm run migrate` does it, with a role that may create tables. */
  migrate: 'start' | 'off'
}

/** The variables below, as `readConfig` gives them. */
export interface DatabaseVariables {
  DATABASE_URL: string
  DATABASE_PASSWORD_FILE: string | undefined
  DATABASE_AUTH: 'iam' | undefined
  MIGRATE: 'start' | 'off'
  AWS_REGION: string
}

export function databaseKinds(name: string): {
  [Name in Exclude<keyof DatabaseVariables, 'AWS_REGION'>]: Kind<DatabaseVariables[Name]>
} {
  return {
    DATABASE_URL: secretUrl(['postgres', 'postgresql'], `postgres://user:password@host:5432/${name}`),
    DATABASE_PASSWORD_FILE: optional(text('the path of a file that holds the password')),
    DATABASE_AUTH: optional(oneOf(['iam'] as const)),
    MIGRATE: oneOf(['start', 'off'] as const, 'start'),
  }
}

/** Throws a `StartError` when two variables contradict each other. `name` is used where the URL names no database. */
export function readDatabase(variables: DatabaseVariables, name: string): DatabaseConfig {
  const { DATABASE_URL, DATABASE_PASSWORD_FILE: path, DATABASE_AUTH, MIGRATE: migrate, AWS_REGION: region } = variables
  if (path !== undefined && DATABASE_AUTH !== undefined)
    throw new StartError('configuration: DATABASE_PASSWORD_FILE and DATABASE_AUTH=iam exclude each other')
  const url = withDatabaseName(DATABASE_URL, name)
  if (path !== undefined) return { url, credentials: { kind: 'file', path }, migrate }
  if (DATABASE_AUTH === 'iam') return { url, credentials: { kind: 'iam', region }, migrate }
  return { url, credentials: { kind: 'url' }, migrate }
}
