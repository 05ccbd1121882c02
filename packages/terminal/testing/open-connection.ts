/** A command that leaves a connection open and has a megabyte to say. Its argument is the port. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { runProcess } from '../index.ts'

await runProcess('open-connection', async ({ args, stdout }) => {
  await once(connect(Number(args[0]), '127.0.0.1'), 'connect')
  stdout('x'.repeat(1_000_000))
  return 3
})
