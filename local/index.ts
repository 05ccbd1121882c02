export { freePort } from './free-port.ts'
export { type LocalPostgres, startPostgres } from './postgres.ts'
export { type LocalSqs, startSqs } from './sqs.ts'
export { dropDatabase, freshDatabase, freshQueue, localCredentials } from './testing.ts'
