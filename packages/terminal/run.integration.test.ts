import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

test('a command ends when it is done, with all it said, although a frozen server keeps its connection open', async () => {
  const frozen = createServer({ allowHalfOpen: true }, (socket) => onTestFinished(() => void socket.destroy()))
  frozen.listen(0, '127.0.0.1')
  await once(frozen, 'listening')
  onTestFinished(() => void frozen.close())
  const { port } = frozen.address() as AddressInfo
  const child = spawn(process.execPath, [`${import.meta.dirname}/testing/open-connection.ts`, String(port)])
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect(said.length).toBe(1_000_000)
  expect(code).toBe(3)
})
