import { computed, effect, signal } from '@preact/signals'
import type { Me, Snapshot } from '../answers.ts'

export const snapshot = signal<Snapshot | undefined>()
export const me = signal<Me | undefined>()
export const connection = signal<'connecting' | 'live' | 'lost' | 'sign-in'>('connecting')
export const paused = signal(false)
/** In memory only: a page that is loaded again asks again. */
export const token = signal('')
/** Why the token that was typed is refused. */
export const refusal = signal('')
/** A line that goes away again, such as "Copied". */
export const toast = signal('')

export interface Route {
  page: string
  params: URLSearchParams
}

export const route = signal<Route>(readRoute())
export const hidden = computed(() => route.value.params.has('hide'))
export const canWrite = computed(() => me.value?.scopes.includes('operations:write') ?? false)

function readRoute(): Route {
  const [page = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  return { page: page || 'path', params: new URLSearchParams(query) }
}

addEventListener('hashchange', () => (route.value = readRoute()))

/** The address of a page; every state is in it. `undefined` removes a parameter. */
export function href(page: string, changes: Record<string, string | undefined> = {}): string {
  const kept =
    page === route.value.page ? [...route.value.params] : [...route.value.params].filter(([name]) => name === 'hide')
  const params = new URLSearchParams(kept)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) params.delete(name)
    else params.set(name, value)
  }
  return `#/${page}${params.size > 0 ? `?${params}` : ''}`
}

export function change(changes: Record<string, string | undefined>): void {
  history.replaceState(null, '', href(route.value.page, changes))
  route.value = readRoute()
}

/** What the server answered instead of what was asked for. */
export class Problem extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Asks the console's own server. Relative, so that it works below any prefix. */
export async function ask<Answer>(path: string, body?: object): Promise<Answer> {
  const response = await send(path, body && { method: 'POST', body: JSON.stringify(body) })
  return (await response.json()) as Answer
}

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = {
    ...(token.value && { authorization: `Bearer ${token.value}` }),
    ...(init.body && { 'content-type': 'application/json' }),
  }
  const asked = takeFirst(path) ?? fetch(`./api/${path}`, { ...init, headers })
  const response = await asked.catch(() => {
    throw new Problem(0, 'The console does not answer.')
  })
  if (response.ok) return response
  const problem = (await response.json().catch(() => ({}))) as { title?: string; detail?: string }
  const message = problem.detail ?? problem.title ?? `The console answers ${response.status}.`
  if (response.status === 401) {
    refusal.value = token.value ? message : ''
    connection.value = 'sign-in'
  }
  throw new Problem(response.status, message)
}

interface FirstRequests {
  stop: AbortController
  me?: Promise<Response>
  stream?: Promise<Response>
}
/** Made by the page itself, before this module was there. */
const { first } = globalThis as { first?: FirstRequests }

/** The answer to the first request of this path. Any later one is made anew. */
function takeFirst(path: string): Promise<Response> | undefined {
  if (path !== 'me' && path !== 'stream') return undefined
  const asked = first?.[path]
  delete first?.[path]
  return asked
}

let stream: AbortController | undefined

/** Follows the snapshots until `stopLive`. A stream that ends is opened again. */
async function follow(signal: AbortSignal): Promise<void> {
  for (let pause = 200; !signal.aborted;) {
    try {
      const [who, response] = await Promise.all([ask<Me>('me'), send('stream', { signal })])
      me.value = who
      for await (const json of events(response)) {
        connection.value = 'live'
        pause = 200
        if (!paused.value) snapshot.value = JSON.parse(json) as Snapshot
      }
    } catch (error) {
      const { status } = error as Partial<Problem>
      if (status === 401 || status === 403) {
        if (status === 403) refusal.value = (error as Error).message
        connection.value = 'sign-in'
        return
      }
      if (!signal.aborted) connection.value = 'lost'
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
    pause = Math.min(2_000, pause * 2)
  }
}

async function* events(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) return
    text += part.value
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      if (text.startsWith('data: ')) yield text.slice(6, end)
      text = text.slice(end + 2)
    }
  }
}

/** Live while the page is visible: the server asks nothing for pages that nobody sees. */
export function live(): void {
  stream?.abort()
  if (document.hidden) return
  stream = first?.stream ? first.stop : new AbortController()
  void follow(stream.signal)
}

export function signIn(typed: string): void {
  token.value = typed.trim()
  connection.value = 'connecting'
  live()
}

document.addEventListener('visibilitychange', live)

export function say(text: string): void {
  toast.value = text
  setTimeout(() => (toast.value = ''), 2_500)
}

/** Light, dark, or as the system has it. */
export const theme = signal(localStorage.getItem('theme') ?? '')
effect(() => {
  if (theme.value) document.documentElement.dataset.theme = theme.value
  localStorage.setItem('theme', theme.value)
})

export function switchTheme(): void {
  const isDark = theme.value ? theme.value === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  theme.value = isDark ? 'light' : 'dark'
}
