import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { isGone, type Part } from '@product-events/local'

export const memberKinds = ['API', 'relay', 'consumer', 'PostgreSQL', 'SQS', 'PgBouncer'] as const
export type MemberKind = (typeof memberKinds)[number]

/** A process that is started again whenever it ends. */
export interface Member {
  kind: MemberKind
  name: string
  /** False when it is not running just now. */
  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<boolean>
  /** Another object after each start. */
  life(): object
  /** The same object for as long as nothing is done to the process; undefined while it is frozen, ending or gone. */
  stint(): object | undefined
  /** Ends it for good. */
  stop(): Promise<void>
}

export interface MemberOptions {
  kind: MemberKind
  name: string
  start: () => Part | Promise<Part>
  /** Told when it ends without having been told to, or answers SIGTERM with anything but 0. */
  onSurprise: (what: string) => void
}

export async function keepRunning({ kind, name, start, onSurprise }: MemberOptions): Promise<Member> {
  let running = Promise.resolve(start())
  let part: Part | undefined = await running
  let told: 'SIGKILL' | 'SIGTERM' | undefined
  let stopping = false
  let life = {}
  let stint: object | undefined = life

  async function watch(): Promise<void> {
    for (;;) {
      const { process, lastWords } = await running
      const closed = new Promise((resolve) => (isGone(process) ? resolve(undefined) : process.once('close', resolve)))
      if (!isGone(process)) await once(process, 'exit')
      part = undefined
      stint = undefined
      if (stopping) return
      const end = process.signalCode ?? `code ${process.exitCode}`
      // What it said last may still be on its way.
      if (told === undefined) void closed.then(() => onSurprise(`${name} ended by itself with ${end}: ${lastWords()}`))
      // In its first moments, before it listens for it, the signal itself ends it.
      if (told === 'SIGTERM' && end !== 'code 0' && end !== 'SIGTERM')
        onSurprise(`${name} answered SIGTERM with ${end}: ${lastWords()}`)
      told = undefined
      running = Promise.resolve(start())
      part = await running
      stint = life = {}
    }
  }
  const watching = watch()

  return {
    kind,
    name,
    async signal(signal) {
      const pid = part?.process.pid
      if (part === undefined || pid === undefined || isGone(part.process)) return false
      if (signal === 'SIGKILL' || signal === 'SIGTERM') told = signal
      if (told === undefined && signal === 'SIGCONT') stint = {}
      if (signal !== 'SIGCONT') stint = undefined
      // A postmaster's children would go on for a moment, and finish what they are at.
      const pids = signal === 'SIGKILL' && kind === 'PostgreSQL' ? [pid, ...(await childrenOf(pid))] : [pid]
      for (const each of pids) send(each, signal)
      return true
    },
    life: () => life,
    stint: () => stint,
    async stop() {
      stopping = true
      stint = undefined
      const last = await running
      // Nothing is left to be finished but the database's files.
      if (kind !== 'PostgreSQL') last.kill()
      await last.stop()
      await watching
    },
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended meanwhile
  }
}

/** From the system's own table; empty where there is none (macOS). */
async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter((pid) => pid > 0)
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') ? 0')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    }),
  )
  return pids.filter((_, index) => parents[index] === parent)
}
