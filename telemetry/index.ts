export { createLogger, type Logger, type LogLevel, logLevels, redact } from './logger.ts'
export { Counter, createRegistry, Gauge, Histogram, Registry } from './metrics.ts'
export { type Missing, startOperationsServer, type OperationsServerOptions } from './operations-server.ts'
export { type AwaitedPart, createReadiness, type Readiness } from './readiness.ts'
