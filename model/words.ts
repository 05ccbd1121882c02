/** What the model prints for each of its steps, as sentences. */

export const promises = {
  1: 'one sender',
  2: 'settled was accepted',
  3: 'order',
  4: 'nothing invented',
  5: 'notified once',
  6: 'nothing lost',
  7: 'an attempt is a refusal',
  8: 'state never goes back',
} as const
export type Promise = (typeof promises)[keyof typeof promises] | 'every pending event leaves'

/** What a broken promise means, as the last line of a trace. */
const broken: Record<Promise, string> = {
  'one sender': 'two relays send in one lane',
  'settled was accepted': 'an event is settled that the broker did not accept, or a settled event is changed',
  order: 'the consumer stores an event before an earlier one of its key',
  'nothing invented': 'the broker accepts an event that was never committed',
  'notified once': 'the consumer stores an event twice',
  'nothing lost': 'the message is gone, and the event is not stored',
  'an attempt is a refusal': 'an event is dead although the broker did not refuse it often enough',
  'state never goes back': 'the consumer applies an older state over a newer one',
  'every pending event leaves': 'the last steps repeat for ever, and the event never leaves',
}

/** A function of the code that a step stands for. */
export interface Reference {
  file: string
  function: string
}

interface Step {
  /** `words` of relay and events, or of events alone. */
  words: (...names: string[]) => string
  is?: Reference
}

const outbox = (file: string, name: string): Reference => ({ file: `packages/outbox/${file}`, function: name })
const inbox = (file: string, name: string): Reference => ({ file: `packages/inbox/${file}`, function: name })

/** Steps of a relay. The first name is the relay, the second the events. */
const relaySteps: Record<string, Step> = {
  balance: { words: (r) => `${r} reads its own clock and asks for its lease`, is: outbox('lease.ts', 'balance') },
  renew: { words: (r) => `${r} renews its lease`, is: outbox('lanes.ts', 'renew') },
  register: { words: (r) => `${r} registers with a new lease`, is: outbox('lanes.ts', 'register') },
  claimPending: { words: (r, e) => `${r} claims ${e}`, is: outbox('claim.ts', 'claimPending') },
  claimDue: { words: (r, e) => `${r} claims ${e}, whose retry is due`, is: outbox('claim.ts', 'claimDue') },
  start: { words: (r, e) => `${r} starts to send ${e}`, is: outbox('sending.ts', 'start') },
  maySend: { words: (r, e) => `${r} may not send ${e} and forgets it`, is: outbox('lease.ts', 'maySend') },
  sendBatch: { words: (r, e) => `${r} hears that ${e} was accepted`, is: outbox('sending.ts', 'sendBatch') },
  timeout: { words: (r, e) => `${r} gives up its send of ${e}, which may still arrive` },
  settleAccepted: { words: (r, e) => `${r} settles ${e} as accepted`, is: outbox('settle.ts', 'settleAccepted') },
  settleRejected: { words: (r, e) => `${r} settles ${e} as rejected`, is: outbox('settle.ts', 'settleRejected') },
  deregister: { words: (r) => `${r} gives back its lease and lanes`, is: outbox('lanes.ts', 'deregister') },
  answerLost: { words: (r) => `the answer of the database to ${r} is lost` },
  unreachable: { words: (r) => `the database is unreachable for ${r}` },
  freeze: { words: (r) => `${r} freezes` },
  wakes: { words: (r) => `${r} goes on` },
  crash: { words: (r) => `${r} is killed` },
  begins: { words: (r) => `${r} starts as a new process` },
  stop: { words: (r) => `${r} is told to stop` },
  accepts: { words: (r, e) => `the broker accepts ${e} from ${r}` },
  acceptsUnheard: { words: (r, e) => `the broker accepts ${e} from ${r}, and its answer is lost` },
  outage: { words: (r, e) => `the broker gives no verdict on ${e} from ${r}` },
  delayed: { words: (r, e) => `the call of ${r} with ${e} breaks off; the request may still arrive` },
  refuses: { words: (r, e) => `the broker refuses ${e} from ${r}` },
  refusesForGood: { words: (r, e) => `the broker can never accept ${e}, and says so to ${r}` },
}

/** Steps of everything else. The first name is the events. */
const otherSteps: Record<string, Step> = {
  append: { words: (e) => `a transaction appends ${e} and is not committed yet`, is: outbox('append.ts', 'append') },
  commit: { words: (e) => `the transaction of ${e} commits` },
  rollback: { words: (e) => `the transaction of ${e} rolls back` },
  appendAgain: { words: (e) => `${e} is written, with the id of the event that was lost` },
  dead: { words: (e) => `${e} is dead`, is: outbox('settle.ts', 'rejection') },
  redrive: { words: (e) => `an operator redrives ${e}`, is: outbox('redrive.ts', 'redrive') },
  resend: { words: (e) => `the consumer lost ${e}, and an operator resends it` },
  late: { words: (e) => `the request with ${e} arrives late, and the broker accepts it` },
  record: { words: (e) => `the consumer stores ${e}`, is: inbox('record.ts', 'record') },
  duplicate: { words: (e) => `the consumer drops ${e} as a duplicate` },
  deleteHandled: {
    words: (e) => `the consumer deletes the message of ${e}`,
    is: inbox('handle-batch.ts', 'deleteHandled'),
  },
  consumerCrash: { words: () => 'the consumer is killed' },
  lags: { words: () => 'the standby gets no more changes' },
  promote: { words: () => 'the lagging standby is promoted' },
  clockBack: { words: () => "the database's clock steps back by an hour" },
  clockBackALittle: { words: () => "the database's clock steps back by less than a lease" },
  clockForwardALittle: { words: () => "the database's clock steps forward by less than half a lease" },
  clockForward: { words: () => "the database's clock steps forward by more than a lease" },
  tick: { words: () => 'the time of one renewal passes' },
}

/** Every function that a step refers to. */
export const references: readonly Reference[] = [...Object.values(relaySteps), ...Object.values(otherSteps)].flatMap(
  ({ is }) => (is ? [is] : []),
)

/** The steps that have words. */
export const stepNames: readonly string[] = [
  ...Object.keys(relaySteps),
  ...Object.keys(otherSteps),
  'lanes',
  'deletesRelay',
]

/** A run that breaks a promise. */
export interface Trace {
  /** One sentence a step. */
  sentences: string[]
  breaks: Promise | undefined
}

/** Turns what `spin -t` prints into sentences. */
export function traceOf(printed: string): Trace {
  const sentences: string[] = []
  let breaks: Promise | undefined
  for (const line of printed.split('\n')) {
    if (line.includes('START OF CYCLE')) {
      breaks = 'every pending event leaves'
      sentences.push('(from here on the steps repeat)')
    }
    const [, name, numbers] = /@ (\w+)((?: \d+)*)/.exec(line) ?? []
    if (name === undefined) continue
    const values = (numbers ?? '').split(' ').filter(Boolean).map(Number)
    if (name === 'broken') {
      breaks = promises[values[0] as keyof typeof promises]
      break
    }
    sentences.push(sentenceOf(name, values))
  }
  if (breaks === undefined) sentences.push('BROKEN: the model itself, by an assertion that is no promise')
  else sentences.push(`BROKEN (${breaks}): ${broken[breaks]}`)
  return { sentences, breaks }
}

function sentenceOf(name: string, [first = 0, second = 0, third = 0]: number[]): string {
  if (name === 'lanes') return lanesOf(relayName(first), second, third)
  if (name === 'deletesRelay') return `${relayName(first)} deletes ${relayName(second)}, whose lease counts as dead`
  const relayStep = relaySteps[name]
  if (relayStep) return withReference(relayStep.words(relayName(first), eventNames(second)), relayStep)
  const step = otherSteps[name]
  if (step) return withReference(step.words(eventNames(first)), step)
  throw new Error(`The model prints the step ${name}, for which words.ts has no words.`)
}

function withReference(sentence: string, { is }: Step): string {
  return is ? `${sentence} (${is.file.split('/').at(-1)} ${is.function})` : sentence
}

function lanesOf(relay: string, owned: number, leaving: number): string {
  const lanes = owned === 0 ? `${relay} owns no lane` : `${relay} owns lane ${bitsOf(owned).join(' and ')}`
  return leaving === 0 ? lanes : `${lanes}, of which it is handing over ${bitsOf(leaving).join(' and ')}`
}

function relayName(index: number): string {
  return ['A', 'B', 'C'][index] === undefined ? 'a former process' : `relay ${['A', 'B', 'C'][index]}`
}

function eventNames(set: number): string {
  const bits = bitsOf(set)
  return `event${bits.length > 1 ? 's' : ''} ${bits.join(' and ')}`
}

function bitsOf(set: number): number[] {
  return [1, 2, 3].filter((bit) => set & (1 << (bit - 1)))
}
