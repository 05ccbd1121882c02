export { closeOnSignal, type CloseOptions } from './close-on-signal.ts'
export { integer, type Kind, matching, oneOf, optional, port, readConfig, secretUrl, text, url } from './read-config.ts'
export { describePortError, StartError, startOrExit } from './start-error.ts'
export { waitUntilUp, type WaitOptions } from './wait-until-up.ts'
