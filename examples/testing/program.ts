import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { localCredentials, machineVariables } from '../../local/index.ts'

/**
 * Starts a program of an example and resolves once it says that it is ready. Rejects with its output if it ends before.
 */
export async function startProgram(folder: string, file: string, variables: Record<string, string>) {
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...machineVariables(), ...localCredentials, ...variables },
  })
  let output = ''
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('is ready')) resolve()
      })
  })
  const ended = once(child, 'close')
  await Promise.race([
    ready,
    ended.then(([code]) => {
      throw new Error(`${folder}/${file} ended with ${code}:\n${output}`)
    }),
  ])
  return {
    /** Ends it as an orchestrator does. Resolves with its exit code. */
    async stop(): Promise<unknown> {
      child.kill('SIGTERM')
      const [code] = await ended
      return code ?? output
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
