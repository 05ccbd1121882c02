export {
  accessKinds,
  type AccessVariables,
  type ApiAccess,
  issuerKinds,
  readApiAccess,
  type TokenIssuer,
} from './access-config.ts'
export { isLoopback } from './loopback.ts'
export { boundConnections } from './connections.ts'
export { type DatabaseConfig, databaseKinds, readDatabase } from './database-config.ts'
export { closeOnSignal, type CloseOptions } from './close-on-signal.ts'
export { queueName, queueUrl } from './queue.ts'
export { integer, type Kind, oneOf, optional, port, readConfig, secretUrl, text, url } from './read-config.ts'
export { describePortError, StartError, startOrExit } from './start-error.ts'
export { waitUntilUp, type WaitOptions } from './wait-until-up.ts'
