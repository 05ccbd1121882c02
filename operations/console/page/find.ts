import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Found, Step, Traveller } from '../answers.ts'
import { ms, plural, secret, time } from './format.ts'
import { html, type View } from './html.ts'
import { Card, Copy, copy, Events, Headline, Segments, WhatToDo } from './parts.ts'
import { ask, change, hidden, href, route, snapshot } from './state.ts'

const found = signal<{ id: string; answer: Found } | undefined>()
const failure = signal('')

let searching = ''

async function load(id: string): Promise<void> {
  if (searching === id) return
  searching = id
  searchedAt = performance.now()
  try {
    const answer = await ask<Found>(`find?id=${encodeURIComponent(id)}`)
    if (route.value.params.get('id') === id) found.value = { id, answer }
    failure.value = ''
  } catch (error) {
    failure.value = (error as Error).message
  }
  searching = ''
}

/** What is not there yet is looked for less often: it costs more. */
const SEARCH_AGAIN_MS = 4_000
let searchedAt = 0

/** An event that arrived changes no more. One that is on its way is followed, and one that is unknown may come. */
function isDue({ kind, verdict }: Found): boolean {
  if (kind !== 'nothing') return kind === 'message' || verdict.level !== 'good'
  return performance.now() - searchedAt > SEARCH_AGAIN_MS
}

export function Find(): View {
  const id = route.value.params.get('id') ?? ''
  const answer = found.value?.id === id ? found.value.answer : undefined
  useEffect(() => {
    if (id) void load(id)
  }, [id])
  // With each snapshot.
  useEffect(() => {
    if (id && (!answer || isDue(answer))) void load(id)
  }, [snapshot.value])
  if (!id)
    return html`<section class="hero">
      <h1>Where is my event?</h1>
      <p class="quiet">
        Paste the id of a product, an event, a notification, a trace, an SQS message or an outbox row into the search
        above.
      </p>
    </section>`
  if (!answer) return html`<p class=${failure.value ? 'bad' : 'quiet'}>${failure.value || 'Searching…'}</p>`
  return html`<${Headline} verdict=${answer.verdict}>
      <${WhatToDo} actions=${answer.verdict.actions} />
      ${answer.links.map(({ name, url }) => html`<a class="button" key=${name} href=${url} rel="noreferrer">${name}</a>`)}
      <button onClick=${() => void copy(location.href, 'Link copied')}>Copy link</button
      ><${Copy} text=${() => findText(answer)} />
    <//>
    <div class="columns even">
      ${answer.steps.length > 0 && html`<${Card} title="Its way" aside=${html`<span class="quiet">times of PostgreSQL, UTC</span>`}><${Way} steps=${answer.steps} /><//>`}
      <div class="stack">
        ${answer.siblings.length > 0 && html`<${Siblings} answer=${answer} />`}
        ${answer.documents.length > 0 && html`<${Documents} answer=${answer} />`}
      </div>
    </div>
    <p class="quiet looked">${answer.looked}</p>`
}

/** A waterfall: each step from the one before it to its own time. */
function Way({ steps }: { steps: Step[] }): View {
  const whole = Math.max(1, ...steps.map(({ after_ms }) => after_ms ?? 0))
  let before = 0
  return html`<ol class="way">
    ${steps.map((step, index) => {
      const until = step.after_ms
      const bar =
        until === null || index === 0
          ? undefined
          : { left: (before / whole) * 100, width: Math.max(1, ((until - before) / whole) * 100) }
      if (until !== null) before = Math.min(until, whole)
      return html`<li key=${step.name} class=${step.state}>
        <div>
          <b>${step.name}<span class="unseen">: ${step.state}</span></b>
          <p>${step.text}</p>
          ${bar && html`<span class="bar" aria-hidden="true"><i style=${{ left: `${Math.min(99, bar.left)}%`, width: `${bar.width}%` }}></i></span>`}
        </div>
        <span class="mono">${index === 0 ? time(step.at) : until === null ? '' : `+ ${ms(until)}`}</span>
      </li>`
    })}
  </ol>`
}

function Siblings({ answer }: { answer: Found }): View {
  const rows = answer.siblings
  const waiting = rows.filter(({ state }) => state === 'waiting').length
  const dead = rows.filter(({ state }) => state === 'dead').length
  const state = dead > 0 ? `${dead} dead` : waiting > 0 ? plural(waiting, 'event waits', 'events wait') : 'all arrived'
  return html`<${Card}
    title="This product"
    aside=${html`<span class="state ${dead > 0 ? 'wrong' : waiting > 0 ? 'busy' : 'good'}">${state}</span>`}
  >
    <${Events}
      caption="Events of this product, newest first"
      rows=${rows}
      selected=${answer.event?.event_id}
      withProduct=${false}
      onSelect=${(row: Traveller) => (location.hash = href('find', { id: row.event_id }))}
    />
  <//>`
}

function Documents({ answer }: { answer: Found }): View {
  const names = answer.documents.map(({ name }) => name)
  const wanted = route.value.params.get('show') ?? ''
  const shown = answer.documents.find(({ name }) => name === wanted) ?? answer.documents[0]
  return html`<${Card}
    title="The event"
    aside=${html`<${Segments} name="Part of the event" options=${names.map((name) => [name, name])} value=${shown?.name ?? ''} onPick=${(name: string) => change({ show: name })} />`}
  >
    <pre tabindex="0">
${hidden.value ? 'Payloads are hidden.' : coloured(JSON.stringify(shown?.json, null, 2) ?? '')}</pre>
  <//>`
}

function coloured(json: string): View[] {
  return json.split(/("(?:[^"\\]|\\.)*")/).map((part, index, parts) => {
    if (index % 2 === 0) return html`${part}`
    return html`<span class=${/^\s*:/.test(parts[index + 1] ?? '') ? 'name' : 'text'}>${part}</span>`
  })
}

function findText({ verdict, steps }: Found): string {
  const lines = steps.map(
    ({ name, at, after_ms, text }) =>
      `${(at ?? '').padEnd(24)} ${after_ms === null ? ''.padEnd(9) : `+${ms(after_ms)}`.padEnd(9)} ${name}  ${secret(text)}`,
  )
  return [verdict.headline, verdict.detail, '', ...lines, ''].join('\n')
}
