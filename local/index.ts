export { isAlive, isGone, type Part } from './child.ts'
export { freePort } from './free-port.ts'
export { type LocalPostgres, startPostgres } from './postgres.ts'
export {
  type ServiceName,
  serviceNames,
  type ServiceOptions,
  machineVariables,
  startProgram,
  startService,
  untilReady,
} from './service.ts'
export { type LocalSqs, startSqs } from './sqs.ts'
export { createDatabase, dropDatabase, freshDatabase, freshQueue, localCredentials } from './testing/fresh.ts'
