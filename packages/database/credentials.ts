import { readFile } from 'node:fs/promises'

/** Where the password of a new connection comes from. */
export type Credentials =
  /** The URL, or PGPASSWORD where the URL has none. */
  | { kind: 'url' }
  /** A file that is read for each new connection, so that a password can be rotated without a restart. */
  | { kind: 'file'; path: string }
  /** A token of AWS IAM for this user, made for each new connection; RDS accepts it for 15 minutes. */
  | { kind: 'iam'; region: string }

/** A user or password that the server does not accept (class 28), with credentials that may be other ones by now. */
export function isRefusedLogin(error: unknown): boolean {
  return (error as { code?: string }).code?.startsWith('28') ?? false
}

/** What `pg` calls for the password of each new connection; undefined when the URL has it. */
export function passwordOf(databaseUrl: string, credentials: Credentials): (() => Promise<string>) | undefined {
  if (credentials.kind === 'url') return undefined
  if (credentials.kind === 'iam') return () => iamToken(databaseUrl, credentials.region)
  return () => readPassword(credentials.path)
}

/** A file that is empty is just being written. The code is that of a refused password, so the login is tried again. */
async function readPassword(path: string): Promise<string> {
  const password = (await readFile(path, 'utf8')).trimEnd()
  if (password === '') throw Object.assign(new Error(`DATABASE_PASSWORD_FILE=${path} is empty`), { code: '28P01' })
  return password
}

/** Signed on this machine: the only call is the one that the SDK's chain makes for credentials, which it caches. */
async function iamToken(databaseUrl: string, region: string): Promise<string> {
  const { hostname, port, username } = new URL(databaseUrl)
  // Loaded only where it is configured: few deployments use it.
  const { Signer } = await import('@aws-sdk/rds-signer')
  const signer = new Signer({ hostname, port: Number(port || 5432), username: decodeURIComponent(username), region })
  return signer.getAuthToken()
}
