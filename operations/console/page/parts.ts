import type { Traveller, Verdict } from '../answers.ts'
import { ms, secret, short, time, verb } from './format.ts'
import { html, type View } from './html.ts'
import { href, say } from './state.ts'

const GLYPHS = { good: '✓', busy: '!', wrong: '!', unknown: '?' }

/** The sentence of a page, with what stands behind it and what an operator can do. */
export function Headline({ verdict, children }: { verdict: Verdict; children?: View }): View {
  return html`<section class="verdict ${verdict.level}" aria-live="polite">
    <span class="mark" aria-hidden="true">${GLYPHS[verdict.level]}</span>
    <div class="say">
      <h1>${verdict.headline}</h1>
      <p>${verdict.detail}</p>
    </div>
    <div class="does">${children}</div>
  </section>`
}

export function WhatToDo({ actions }: { actions: string[] }): View {
  if (actions.length === 0) return html``
  return html`<details class="todo">
    <summary class="button">What to do</summary>
    <ol>
      ${actions.map((text) => html`<li key=${text}>${text}</li>`)}
    </ol>
  </details>`
}

export function Copy({ text }: { text: () => string }): View {
  return html`<button onClick=${() => void copy(text(), 'Copied as text')}>Copy as text</button>`
}

export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(done)
  } catch {
    say('The browser does not allow copying here.')
  }
}

const SIGNS: Record<string, string> = { created: '+', updated: '~', deleted: '−' }

export function Kind({ type }: { type: string }): View {
  return html`<span class="kind" aria-hidden="true">${SIGNS[verb(type)] ?? '•'}</span>${verb(type)}`
}

/** Seven cells, and the words beside them. */
export function Cells({ row }: { row: Traveller }): View {
  const cells = [1, 2, 3, 4, 5, 6, 7].map((step) => {
    if (step <= row.step) return 'on'
    return step === row.step + 1 ? row.state : ''
  })
  return html`<span class="cells" aria-hidden="true">${cells.map((name) => html`<i class=${name}></i>`)}</span
    ><span class=${row.state === 'dead' ? 'bad' : 'quiet'}>${row.where}</span>`
}

export interface EventTable {
  rows: Traveller[]
  selected: string | undefined
  onSelect: (row: Traveller) => void
  /** Columns that the product's own page does not need. */
  withProduct: boolean
  caption: string
}

export function Events({ rows, selected, onSelect, withProduct, caption }: EventTable): View {
  return html`<table class="events">
    <caption class="unseen">
      ${caption}
    </caption>
    <thead>
      <tr>
        <th class="wide">Written</th>
        <th>Event</th>
        ${withProduct && html`<th>Product</th>`}
        <th class="wide number">Seq</th>
        <th>Where it is</th>
        <th class="number">Age</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr
            key=${row.event_id}
            class=${row.event_id === selected ? 'selected' : ''}
            onClick=${() => onSelect(row)}
          >
            <td class="wide mono">${time(row.written_at)}</td>
            <td>
              <a href=${href('find', { id: row.event_id })}><${Kind} type=${row.type} /></a>
            </td>
            ${
              withProduct &&
              html`<td class="product">
                ${secret(row.product_name ?? '')} <span class="mono wide quiet">${short(row.product_id)}</span>
              </td>`
            }
            <td class="wide number mono">${row.sequence}</td>
            <td class="where"><${Cells} row=${row} /></td>
            <td class="number mono">${ms(row.age_ms)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

export function Card({
  title,
  aside,
  children,
  name,
}: {
  title: View | string
  aside?: View
  children?: View
  name?: string
}): View {
  return html`<section class="card ${name ?? ''}">
    <header>
      <h2>${title}</h2>
      <div class="aside">${aside}</div>
    </header>
    ${children}
  </section>`
}

export function Segments({
  name,
  options,
  value,
  onPick,
}: {
  name: string
  options: [string, string][]
  value: string
  onPick: (value: string) => void
}): View {
  return html`<div class="segments" role="group" aria-label=${name}>
    ${options.map(
      ([key, text]) =>
        html`<button key=${key} aria-pressed=${key === value} onClick=${() => onPick(key)}>${text}</button>`,
    )}
  </div>`
}
