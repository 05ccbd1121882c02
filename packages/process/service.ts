/** For services, once their program runs. Commands import `index.ts`, which loads less. */
export { type DatabaseWatch } from './database-watch.ts'
export { listen } from './listen.ts'
export { type ProcessLogLines, processLogLines } from './log-lines.ts'
export { type FoundQueue, openQueue, type QueueConfig } from './open-queue.ts'
export { openService, type Service, type ServiceConfig, type ServiceDescription } from './open-service.ts'
export { startOperationsServer, type OperationsServerOptions } from './operations-server.ts'
export { createReadiness, type Missing, type Readiness } from './readiness.ts'
