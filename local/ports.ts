import { type PortVariable, portVariables, type StartConfig, variables } from './config.ts'
import { portIsFree } from './free-port.ts'

/** A port that was ours a moment ago (a killed run) may take this long to be free. */
const PORT_RETRY_MS = 500

/** Rejects with every port that is in use, by name, number and the variable that changes it. */
export async function demandFreePorts(ports: StartConfig['ports']): Promise<void> {
  let taken = await takenPorts(ports)
  for (const until = Date.now() + PORT_RETRY_MS; taken.length > 0 && Date.now() < until;) {
    taken = await takenPorts(ports)
  }
  if (taken.length === 0) return
  const lines = taken.map(
    (name) =>
      `Port ${ports[name]}, for ${variables[name].names}, is in use. ` +
      `Free it, or choose another: ${name}=${elsewhere(ports[name])} npm start`,
  )
  throw new Error(lines.join('\n'))
}

async function takenPorts(ports: StartConfig['ports']): Promise<PortVariable[]> {
  const free = await Promise.all(portVariables.map((name) => portIsFree(ports[name])))
  return portVariables.filter((_, index) => !free[index])
}

/** An example of another port, recognisable as the same one. */
function elsewhere(port: number): number {
  return port < 55_536 ? port + 10_000 : port - 10_000
}
