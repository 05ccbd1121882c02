#!/usr/bin/env node
/** `npx @product-events/outbox …`: the events of an outbox, its tables, and their SQL for a migration tool. */
import { runProcess } from '@product-events/terminal'
import { standaloneCommand } from './cli/standalone.ts'
import { readCommandConfig } from './config.ts'

await runProcess('outbox', (terminal) => standaloneCommand(terminal, () => readCommandConfig(process.env).databaseUrl))
