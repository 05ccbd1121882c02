/** What a service logs when it loses something that it needs, and when it has it again. */
export interface StateLines {
  lost: readonly string[]
  back: string
  /** The service asks without having work, so that the second line comes although nothing is left to do. */
  asks: boolean
}

export const stateLines: readonly StateLines[] = [
  {
    lost: [
      'the database fails requests; they get 503 until it works again',
      'the database refuses user or password; requests get 503. DATABASE_PASSWORD_FILE is read for each new connection',
    ],
    back: 'the database works again; refused requests were answered with 503',
    asks: true,
  },
  state('the outbox can not be read; the relay waits for the database', 'the outbox can be read again', true),
  state('SQS takes no events; they wait, and none loses an attempt', 'SQS takes events again', true),
  state(
    'processed events past their retention can not be deleted; the relay retries',
    'processed events past their retention can be deleted again',
    false,
  ),
  state(
    'deliveries past their retention can not be deleted; the relay retries',
    'deliveries past their retention can be deleted again',
    false,
  ),
  state(
    'idempotency keys past their 24 hours can not be deleted; the next try is in a minute',
    'idempotency keys past their 24 hours are deleted again',
    false,
  ),
  state('SQS does not answer; receivers back off until it does', 'SQS answers again', true),
  state('the database stores nothing; messages are held until it does', 'the database stores again', false),
  state('the database can not be read for the streams; they wait until it can', 'the streams go on', true),
  state('deliveries can not be read; they wait for the database', 'deliveries can be read again', true),
  state('deliveries rest: none can be judged', 'deliveries resume', true),
  state(
    'the list of disabled endpoints can not be read; deliveries go by the last one read',
    'the list of disabled endpoints can be read again',
    true,
  ),
  state(
    'endpoint refuses deliveries; each is retried, and blocks its product at this endpoint',
    'endpoint accepts deliveries again',
    false,
  ),
]

function state(lost: string, back: string, asks: boolean): StateLines {
  return { lost: [lost], back, asks }
}

/** The state lines of one process, from its start to its end. */
export interface StateWatch {
  read(line: string): void
  /** What the process lacks, if its lines are true: only of what it asks for without having work. */
  lacks(): string[]
}

/** Calls `onLie` when a process says twice that it lost something, or that it has again what it had not lost. */
export function watchStates(process: string, onLie: (what: string) => void): StateWatch {
  const lost = new Map<string, StateLines>()
  return {
    read(line) {
      const { msg, endpoint = '' } = parse(line)
      const state = stateLines.find(({ lost, back }) => back === msg || lost.includes(msg))
      if (state === undefined) return
      const key = `${state.back} ${endpoint}`
      const wasLost = lost.has(key)
      if (wasLost === (msg !== state.back))
        onLie(`${process} says ${wasLost ? 'a second time' : 'of nothing lost'}: ${msg}`)
      if (msg === state.back) lost.delete(key)
      else lost.set(key, state)
    },
    lacks: () => [...lost.values()].filter(({ asks }) => asks).map(({ lost }) => lost.join(' or ')),
  }
}

function parse(line: string): { msg: string; endpoint?: string } {
  try {
    return JSON.parse(line) as { msg: string }
  } catch {
    return { msg: '' } // Node's own words before the logger is there
  }
}
