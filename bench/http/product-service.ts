import { openSync } from 'node:fs'
import { freePort, localCredentials, startSqs } from '@product-events/local'
import { type ServerProcess, startServer } from './server-process.ts'

export interface ServiceUnderLoad extends ServerProcess {
  databaseUrl: string
}

/**
 * product-service as it runs, with all that it does, logging at info to `logFile`. `sending`: with an SQS that takes
 * the events meanwhile, on the same cores; else SQS goes away once the service has started, and the events wait.
 */
export async function startProductService(options: {
  databaseUrl: string
  logFile: string
  sending: boolean
}): Promise<ServiceUnderLoad> {
  const [sqsPort, port, metricsPort] = [await freePort(), await freePort(), await freePort()]
  const sqs = await startSqs({ port: sqsPort })
  const server = await startServer({
    program: `${import.meta.dirname}/../../services/product-service/main.ts`,
    port,
    readyUrl: `http://127.0.0.1:${metricsPort}/health/ready`,
    log: openSync(options.logFile, 'w'),
    env: {
      ...localCredentials,
      DATABASE_URL: options.databaseUrl,
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      HTTP_PORT: String(port),
      METRICS_PORT: String(metricsPort),
    },
  })
  if (!options.sending) await sqs.stop()
  return {
    ...server,
    databaseUrl: options.databaseUrl,
    async stop() {
      await server.stop()
      await sqs.stop()
    },
  }
}
