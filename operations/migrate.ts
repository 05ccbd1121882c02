/**
 * `npm run migrate`: brings the databases up to date, before a deployment and with rights that services need not have.
 */
import { runProcess } from '@product-events/terminal'
import { readDatabasesConfig } from './config.ts'
import { runMigrate } from './migrate/run.ts'

await runProcess('migrate', (terminal) => runMigrate(terminal, () => readDatabasesConfig(process.env)))
