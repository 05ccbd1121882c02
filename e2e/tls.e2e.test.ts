import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { connectionConfig } from '@product-events/database'
import {
  freePort,
  type LocalPostgres,
  machineVariables,
  startPostgres,
  startProgram,
  untilReady,
} from '@product-events/local'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const PASSWORD = 'over-tls-only'
/** `nobody`, as whom PostgreSQL runs when this process is root. */
const NOBODY = 65534

let dir: string
let postgres: LocalPostgres
let admin: pg.Client
const file = (name: string) => join(dir, 'tls', name)
beforeAll(async () => {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  dir = await mkdtemp('/tmp/product-events-tls-')
  await chmod(dir, 0o755)
  makeCertificates()
  writeFileSync(file('hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n')
  writeFileSync(file('password'), `${PASSWORD}\n`)
  const settings = {
    ssl: 'on',
    ssl_cert_file: file('server.crt'),
    ssl_key_file: file('server.key'),
    hba_file: file('hba.conf'),
  }
  postgres = await startPostgres({
    dataDir: join(dir, 'postgres'),
    port: await freePort(),
    settings,
    password: PASSWORD,
  })
  admin = new pg.Client(
    connectionConfig(url({ sslmode: 'verify-full', sslrootcert: file('ca.crt') }), {
      kind: 'file',
      path: file('password'),
    }),
  )
  await admin.connect()
})
afterAll(async () => {
  await admin.end()
  await postgres.stop()
  await rm(dir, { recursive: true, force: true })
})

/** A private CA, and a certificate of it for `localhost`: not for 127.0.0.1. */
function makeCertificates(): void {
  mkdirSync(file(''))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: file(''), stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test CA')
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost')
  const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
  openssl('x509', '-req', '-in', 'server.csr', ...ca, '-out', 'server.crt', '-days', '2', '-extfile', 'names')
  chmodSync(file('server.key'), 0o600)
  if (process.getuid?.() === 0) chownSync(file('server.key'), NOBODY, NOBODY)
}

/** Without a password. */
function url(parameters: Record<string, string>, host = 'localhost'): string {
  const query = new URLSearchParams(parameters).toString()
  return `postgres://postgres@${host}:${new URL(postgres.url).port}/postgres?${query}`
}

/** Starts a program, and stops it once it is ready. Resolves with all that it wrote. */
async function run(main: string, variables: Record<string, string>): Promise<string[]> {
  const lines: string[] = []
  const [http, operations] = [await freePort(), await freePort()]
  const part = startProgram('program', {
    main: join(root, main),
    preload: [],
    variables: {
      AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
      HTTP_PORT: String(http),
      METRICS_PORT: String(operations),
      ...variables,
    },
    onLine: (line) => void lines.push(line),
  })
  try {
    await untilReady(part, main.includes('console') ? http : operations)
    const ofOthers = `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                      WHERE client_addr IS NOT NULL AND pid <> pg_backend_pid()`
    await expect.poll(async () => (await admin.query(ofOthers)).rows, { timeout: 60_000 }).toEqual([{ ssl: true }])
  } finally {
    await part.stop()
  }
  return lines
}

/** Fails unless each line is JSON. */
const parsed = (lines: string[]) => lines.map((line) => JSON.parse(line) as { level: string; reason?: string })

test('verify-full with sslrootcert, and PGPASSWORD beside a URL without a password', async () => {
  const DATABASE_URL = url({ sslmode: 'verify-full', sslrootcert: file('ca.crt') })
  const lines = parsed(await run('services/product-service/main.ts', { DATABASE_URL, PGPASSWORD: PASSWORD }))
  expect(lines.filter(({ level }) => level !== 'info')).toEqual([])
})

test.each(['services/product-service/relay-main.ts', 'operations/console/main.ts'])(
  '%s: sslmode=require with NODE_EXTRA_CA_CERTS and a file with the password; the warning of pg is a line of JSON',
  async (main) => {
    const lines = parsed(
      await run(main, {
        DATABASE_URL: url({ sslmode: 'require' }),
        PRODUCTS_DATABASE_URL: url({ sslmode: 'require' }),
        NOTIFICATIONS_DATABASE_URL: url({ sslmode: 'require' }),
        NODE_EXTRA_CA_CERTS: file('ca.crt'),
        DATABASE_PASSWORD_FILE: file('password'),
      }),
    )
    const warnings = lines.filter(({ level }) => level !== 'info')
    expect(warnings).toMatchObject([{ level: 'warn', reason: expect.stringContaining('sslmode') as string }])
  },
)

/** `npm run outbox -- status` with these parameters of the URL, and the password in a file. */
async function outboxStatus(parameters: Record<string, string>, host?: string) {
  const variables = {
    PRODUCTS_DATABASE_URL: url(parameters, host),
    NOTIFICATIONS_DATABASE_URL: url(parameters, host),
    DATABASE_PASSWORD_FILE: file('password'),
  }
  const child = spawn(process.execPath, [join(root, 'operations/outbox.ts'), 'status'], {
    env: { ...machineVariables(), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out, err }
}

test('a command checks the certificate too, and takes its password from the file', async () => {
  const ca = { sslrootcert: file('ca.crt') }
  const [known, otherName, unknown] = await Promise.all([
    outboxStatus({ sslmode: 'verify-full', ...ca }),
    outboxStatus({ sslmode: 'verify-full', ...ca }, '127.0.0.1'),
    outboxStatus({ sslmode: 'verify-full' }),
  ])
  expect(known).toMatchObject({ code: 0, out: expect.stringContaining('lanes') as string })
  expect(otherName).toMatchObject({ code: 1, err: expect.stringMatching(/^outbox: .*IP: 127\.0\.0\.1/m) as string })
  expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/^outbox: .*certificate/m) as string })
})
