/** Receivers, API, streams and channels. Nothing heavy is imported before a signal finds a handler. */
import { runProgram } from '@product-events/process/program'
import manifest from './package.json' with { type: 'json' }

await runProgram({ name: 'notification-service', version: manifest.version }, () => import('./service.ts'))
