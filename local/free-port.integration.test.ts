import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePort, reservePort } from './free-port.ts'

const reserveInAnotherProcess = async (port: number) => {
  const module = `${import.meta.dirname}/free-port.ts`
  const program = `import { reservePort } from '${module}'; console.log(await reservePort(${port}))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  return stdout.trim() === 'true'
}

test('a port that one caller has got is given to no other, in this process or in another', async () => {
  const port = await freePort()
  expect(await reservePort(port)).toBe(false)
  expect(await reserveInAnotherProcess(port)).toBe(false)
})

test('the reservation ends with its process', async () => {
  const port = await freePort()
  expect(await reserveInAnotherProcess(port + 1)).toBe(true)
  expect(await reservePort(port + 1)).toBe(true)
})
