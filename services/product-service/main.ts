/** The API for products, with a relay. Nothing heavy is imported before a signal finds a handler. */
import { runProgram } from '@product-events/process/program'
import manifest from './package.json' with { type: 'json' }

await runProgram({ name: 'product-service', version: manifest.version }, () => import('./service.ts'))
