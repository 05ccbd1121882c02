import { hidden } from './state.ts'

export function ms(value: number): string {
  const seconds = value / 1000
  if (seconds < 1) return `${Math.round(value)} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** `22:44:08.441` in UTC, as in the logs. */
export function time(at: string | null): string {
  return at === null ? '' : at.slice(11, 23)
}

export function shortTime(at: string): string {
  return at.slice(11, 19)
}

/** The date too, unless it is today. */
export function day(at: string | null): string {
  if (at === null) return ''
  return at.slice(0, 10) === new Date().toISOString().slice(0, 10)
    ? shortTime(at)
    : `${at.slice(0, 10)} ${at.slice(11, 16)}`
}

export function rate(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(value >= 100 ? 0 : 1)}/s`
}

export function short(id: string): string {
  return id.length > 12 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id
}

/** What a payload says is not shown where the viewer hides it. */
export function secret(text: string): string {
  return hidden.value ? '•••' : text
}

export function verb(type: string): string {
  return type.split('.').at(-1) ?? type
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}
