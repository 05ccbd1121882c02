import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Rights, rights, rightsByName } from './aws/rights.ts'

const words = (actions: readonly string[]) => actions.map((action) => action.replace(/^\w+:/, '')).join(', ')
const row = (name: string, { queue, deadLetterQueue, key }: Rights) =>
  `| ${name} | ${[queue, deadLetterQueue, key].map(words).join(' | ')} |`.replaceAll(/ {2,}/g, ' ')

test('docs/operations.md lists the rights as they are', () => {
  const document = readFileSync(join(import.meta.dirname, '..', 'docs', 'operations.md'), 'utf8')
  const rows = [
    ...Object.entries(rights).map(([name, granted]) => row(name, granted)),
    row('`SQS_QUEUE_NAME` of a queue that exists', rightsByName.finds),
    row('`SQS_QUEUE_NAME` of a queue to be made', rightsByName.makes),
  ]
  for (const line of rows) expect(document).toContain(`\n${line}\n`)
})
