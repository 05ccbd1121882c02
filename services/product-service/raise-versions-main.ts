/** `npm run raise-versions`: after a restore of this service's database. `--help` tells. */
import { connect, disconnect } from '@product-events/database'
import { EXIT, plural, type Program, readProgram, runProcess } from '@product-events/terminal'
import { readDatabaseConfig } from './config.ts'
import { raiseVersions } from './products/raise-versions.ts'

const program = {
  name: 'raise-versions',
  version: '1.0.0',
  summary: 'after a restore: raise the version of every product above all that was published before',
  more: `The restored database numbers changes as it did before, and a consumer that drops events by their sequence would
drop new ones. Each product gets a higher version and is published as product.updated, which also brings consumers back
to its present state. Choose --by larger than the changes that one product had in the time that was lost.`,
  options: { by: { value: 'n', whole: [1, 1_000_000], default: 1_000, help: 'how much each version is raised by' } },
} as const satisfies Program

await runProcess(program.name, async ({ args, signal, stdout, progress }) => {
  const line = readProgram(program, args)
  if (line.kind === 'print') {
    stdout(line.text)
    return EXIT.done
  }
  const { url: databaseUrl, credentials } = readDatabaseConfig(process.env)
  const pool = connect({
    databaseUrl,
    credentials,
    applicationName: program.name,
    maxConnections: 1,
    onIdleError: () => {},
  })
  try {
    const onProgress = (raised: number) => progress.now(`${plural(raised, 'product')} raised`)
    const raised = await raiseVersions(pool, line.options.by, { signal, onProgress })
    progress.end()
    stdout(`The version of ${plural(raised, 'product')} was raised by ${line.options.by}; each is published.\n`)
    return signal.aborted ? EXIT.interrupted : EXIT.done
  } finally {
    await disconnect(pool)
  }
})
