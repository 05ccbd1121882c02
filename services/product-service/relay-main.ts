/** The relay alone: to have more of them, or to keep them apart from the API. Relays share the lanes automatically. */
import { runProgram } from '@product-events/process/program'
import manifest from './package.json' with { type: 'json' }

await runProgram({ name: 'relay', version: manifest.version }, () => import('./relay-service.ts'))
