import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StartConfig } from './config.ts'
import { localCredentials } from './testing/fresh.ts'

/**
 * Leaves the addresses and credentials of this stack as variables in `DATA_DIR/stack.env`, for the commands: none of
 * them then needs a variable. Readable by this user only.
 */
export async function writeStackEnv({ dataDir, ports, queueName }: StartConfig, postgresUrl: string): Promise<void> {
  const url = (port: number) => `http://127.0.0.1:${port}`
  const variables = {
    DATABASE_URL: postgresUrl,
    ...localCredentials,
    AWS_ENDPOINT_URL_SQS: url(ports.SQS_PORT),
    SQS_QUEUE_NAME: queueName,
    PRODUCT_SERVICE_OPERATIONS_URL: url(ports.PRODUCT_SERVICE_METRICS_PORT),
    NOTIFICATION_SERVICE_OPERATIONS_URL: url(ports.NOTIFICATION_SERVICE_METRICS_PORT),
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`)
  const file = join(dataDir, 'stack.env')
  // A command that reads it just now must see all of it.
  await writeFile(`${file}.new`, lines.join(''), { mode: 0o600 })
  await rename(`${file}.new`, file)
}
