import { harmless } from '@product-events/terminal'
import { seconds, type Step } from './steps.ts'
import type { Status } from './status.ts'

/** What fits every terminal. */
export const WIDTH = 80
const NOTHING = '–'

type Paint = (colour: 'green' | 'red' | 'dim' | 'bold', text: string) => string
const codes = { green: 32, red: 31, dim: 2, bold: 1 } as const
const coloured: Paint = (colour, text) => `\x1b[${codes[colour]}m${text}\x1b[0m`
const plain: Paint = (_colour, text) => text

/** The status as one screen of text: at most 80 columns, but for addresses that are longer. Ends with a line break. */
export function screen(status: Status, colours: boolean): string {
  const paint = colours ? coloured : plain
  const service = Math.max(...status.processes.map((process) => process.service.length))
  const url = Math.max(...status.processes.map((process) => process.url.length))
  const processes = status.processes.map((process) => {
    const health = process.health === 'ready' ? paint('green', 'ready') : paint('red', process.health.toUpperCase())
    return `${process.service.padEnd(service)}  ${process.url.padEnd(url)}  ${health}`
  })
  const lines = [
    paint('bold', 'product-events'.padEnd(WIDTH - status.at.length)) + status.at,
    '',
    ...processes,
    '',
    paint('dim', row('  step', 'rate/s', 'backlog', 'oldest', 'delay p95', 'health')),
    ...status.steps.map((step) => stepLine(step, paint)),
    '',
    paint('dim', totals(status)),
    '',
    ...verdict(status, paint),
  ]
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function stepLine(step: Step, paint: Paint): string {
  const { number, name, rate_per_second, backlog, oldest_seconds, delay_p95_seconds, health, note } = step
  const line = row(
    `${number} ${name}`,
    rate_per_second === null ? NOTHING : rate(rate_per_second),
    backlog === null ? NOTHING : String(backlog),
    oldest_seconds === null ? NOTHING : seconds(oldest_seconds),
    delay_p95_seconds === null ? NOTHING : seconds(delay_p95_seconds),
    '',
  )
  const verdicts = { ok: paint('green', 'ok'), wrong: paint('red', 'WRONG'), unknown: paint('red', 'unknown') }
  return line + verdicts[health] + (note && health !== 'unknown' ? paint('dim', `, ${note}`) : '')
}

function row(step: string, ...[rate = '', backlog = '', oldest = '', delay = '', health = '']: string[]): string {
  return `${step.padEnd(11)}${rate.padStart(9)}${backlog.padStart(10)}${oldest.padStart(9)}${delay.padStart(12)}   ${health}`
}

/** Slow ones are events now and then, fast ones need no fractions. */
function rate(value: number): string {
  return value < 100 ? value.toFixed(1) : String(Math.round(value))
}

function totals({ totals }: Status): string {
  const { created, updated, deleted, notified, duplicates } = totals
  const of = (value: number | null) => value ?? NOTHING
  return (
    `since the start: ${of(created)} created, ${of(updated)} updated, ${of(deleted)} deleted; ` +
    `${of(notified)} notified, ${of(duplicates)} duplicates`
  )
}

function verdict({ ok, problems, unknown, asked }: Status, paint: Paint): string[] {
  if (ok) return [paint('green', 'Nothing is wrong.')]
  const silent = asked ? '' : ' PostgreSQL and SQS were not asked: set DATABASE_URL and AWS_REGION for that.'
  if (problems.length === 0)
    return wrap(`Unknown: ${unknown.join(', ')}. Nothing that answered is wrong.${silent}`, WIDTH, '')
  return [
    paint('red', 'Something is wrong:'),
    ...problems.flatMap((problem) => wrap(harmless(problem), WIDTH - 2, '- ')),
  ]
}

/** Breaks between words, and indents what follows under the first line's text. */
function wrap(text: string, width: number, bullet: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((part, index) => (index === 0 ? bullet : ' '.repeat(bullet.length)) + part)
}
