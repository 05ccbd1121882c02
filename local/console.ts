import { resolve } from 'node:path'
import type { Part } from './child.ts'
import { type StartConfig } from './config.ts'
import { startProgram } from './service.ts'

export interface ConsoleOptions {
  config: StartConfig
  /** Without a database name. */
  postgresUrl: string
  controlUrl: string
  onLine: (line: string) => void
}

/** Starts the console of this stack. It shows missing parts as missing, so nothing has to be ready. */
export function startConsole({ config, postgresUrl, controlUrl, onLine }: ConsoleOptions): Part {
  const { ports, queueName, logLevel } = config
  return startProgram('console', {
    main: resolve(import.meta.dirname, '../operations/console/main.ts'),
    preload: [],
    onLine,
    variables: {
      DATABASE_URL: postgresUrl,
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${ports.SQS_PORT}`,
      SQS_QUEUE_NAME: queueName,
      HTTP_PORT: String(ports.CONSOLE_PORT),
      PRODUCT_SERVICE_OPERATIONS_URL: `http://127.0.0.1:${ports.PRODUCT_SERVICE_METRICS_PORT}`,
      NOTIFICATION_SERVICE_OPERATIONS_URL: `http://127.0.0.1:${ports.NOTIFICATION_SERVICE_METRICS_PORT}`,
      CONSOLE_CONTROL_URL: controlUrl,
      LOG_LEVEL: logLevel,
    },
  })
}
