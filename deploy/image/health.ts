/**
 * The HEALTHCHECK of the image: `node health.js [path]` ends with 0 when the path answers 200. By default it asks for
 * `ready`, not `live`: a stack that waits for this container wants its work done.
 */
import { get } from 'node:http'
import { readHealthConfig } from '../config.ts'

/** Below the timeout of the check in the Dockerfile. */
const TIMEOUT_MS = 2_500

const { port } = readHealthConfig(process.env)
const path = process.argv[2] ?? '/health/ready'
if (port !== undefined)
  get({ host: '127.0.0.1', port, path, timeout: TIMEOUT_MS }, ({ statusCode }) => {
    process.exit(statusCode === 200 ? 0 : 1)
  })
    .on('timeout', () => process.exit(1))
    .on('error', () => process.exit(1))
