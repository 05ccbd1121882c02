import type { Snapshot, Traveller } from '../answers.ts'
import { Chart } from './chart.ts'
import { ms, plural, rate, secret, short, time, verb } from './format.ts'
import { html, type View } from './html.ts'
import { Line } from './line.ts'
import { Card, Copy, Events, Headline, Segments, WhatToDo } from './parts.ts'
import { change, href, paused, route, snapshot } from './state.ts'

const FILTERS: [string, string][] = [
  ['all', 'All'],
  ['waiting', 'Waiting'],
  ['arrived', 'Arrived'],
]

export function Path(): View {
  const now = snapshot.value
  if (!now) return html`<p class="quiet">One moment: the console asks PostgreSQL, SQS and the services.</p>`
  const rows = shownRows()
  const selected = rows.find(({ event_id }) => event_id === route.value.params.get('event')) ?? rows[0]
  return html`<${Headline} verdict=${now.verdict}
      ><${WhatToDo} actions=${now.verdict.actions} /><${Copy} text=${pathText}
    /><//>
    <section class="card journey" aria-label="The seven steps">
      <${Line} stations=${now.stations} />
      <footer><${Totals} now=${now} /></footer>
    </section>
    <div class="columns">
      <${Card}
        title="Travelling now"
        name="travelling"
        aside=${html`<${Segments}
            name="Which events"
            options=${FILTERS}
            value=${filter()}
            onPick=${(key: string) => change({ filter: key === 'all' ? undefined : key })}
          />
          <span class="quiet wide grow">newest first</span>
          <button aria-pressed=${paused.value} onClick=${() => (paused.value = !paused.value)}>
            ${paused.value ? 'Resume' : 'Pause'}
          </button>`}
      >
        ${
          rows.length === 0
            ? html`<p class="empty">
                ${filter() === 'all' ? 'No event yet. Create a product, and its event travels here.' : `No event is ${filter()}.`}
              </p>`
            : html`<${Events}
                caption="Events, newest first"
                rows=${rows}
                selected=${selected?.event_id}
                withProduct=${true}
                onSelect=${(row: Traveller) => change({ event: row.event_id })}
              />`
        }
      <//>
      <div class="stack">
        <${Card}
          title="Events a second"
          aside=${html`<span class="key written">written</span><span class="key notified">notified</span>`}
        >
          <${Chart} history=${now.history} at=${now.at} />
        <//>
        ${selected && html`<${Selected} row=${selected} />`}
        <${Card} title="Processes" aside=${html`<a href=${href('relays')}>Relays</a>`}>
          <ul class="processes">
            ${now.processes.map(
              ({ service, url, health, detail }) =>
                html`<li key=${url}>
                  <span class="state ${health === 'ready' ? 'good' : 'wrong'}">${health}</span><b>${service}</b>
                  <span class="mono quiet">${url.replace(/^https?:\/\//, '')}</span
                  >${detail && html`<p class="bad">${detail}</p>`}
                </li>`,
            )}
          </ul>
        <//>
      </div>
    </div>`
}

function filter(): string {
  return route.value.params.get('filter') ?? 'all'
}

/** As many as a screen shows, waiting ones first when all do not fit. */
export function shownRows(): Traveller[] {
  const rows = snapshot.value?.travelling ?? []
  const wanted = rows.filter(({ state }) => filter() === 'all' || (filter() === 'arrived') === (state === 'arrived'))
  return wanted.slice(0, 24)
}

function Totals({ now }: { now: Snapshot }): View {
  const { created, updated, deleted, notified, duplicates } = now.totals
  const number = (value: number | null | undefined) => html`<b>${value?.toLocaleString('en-US') ?? '–'}</b>`
  const ready = now.processes.filter(({ health }) => health === 'ready').length
  const owned = now.outboxes[0]?.lanes.filter((owner) => owner !== null).length ?? 0
  const counts = [
    html`${number(created)} created, ${number(updated)} updated, ${number(deleted)} deleted`,
    html` · ${number(notified)} notified`,
    html` · ${number(duplicates)} duplicates`,
  ]
  return html`<span>Since the start: ${counts}</span>
    <span>${ready} of ${plural(now.processes.length, 'process', 'processes')} ready · ${owned} of 64 lanes owned</span>`
}

/** The event that is selected in the table, so far as the table knows it. */
function Selected({ row }: { row: Traveller }): View {
  const words: Record<string, string> = { waiting: 'busy', arrived: 'good', dead: 'wrong' }
  const step = (state: string, name: string, text: string, at: string) =>
    html`<li class=${state}>
      <div>
        <b>${name}</b>
        <p>${text}</p>
      </div>
      <span class="mono">${at}</span>
    </li>`
  const waits = row.state === 'arrived' ? '' : ms(row.age_ms)
  return html`<${Card}
    title=${html`${row.type} <span class="state ${words[row.state] ?? ''}">${row.where}</span>`}
    aside=${html`<a href=${href('find', { id: row.event_id })}>Open</a>`}
  >
    <ol class="way short">
      ${step('done', 'Written', `${secret(row.product_name ?? '')} ${short(row.product_id)}, version ${row.sequence ?? '–'}`, time(row.written_at))}
      ${
        row.step < 3
          ? step(
              row.state === 'dead' ? 'wrong' : 'now',
              row.state === 'dead' ? 'Dead' : 'In the outbox',
              row.where,
              waits,
            )
          : step('done', 'Accepted by SQS', `Outbox id ${row.id}`, '')
      }
      ${
        row.state === 'arrived'
          ? step('done', 'Stored and notified', `Event ${short(row.event_id)}`, ms(row.age_ms))
          : step(
              row.step >= 3 ? 'now' : 'then',
              row.step >= 3 ? 'In the queue' : 'Queue, receive, store, notify',
              row.step >= 3 ? row.where : '',
              row.step >= 3 ? waits : 'then',
            )
      }
    </ol>
  <//>`
}

/** The screen for an incident channel. */
function pathText(): string {
  const now = snapshot.value
  if (!now) return ''
  const stations = now.stations.map(
    ({ number, name, health, rate: perSecond, figures }) =>
      `${number} ${name.padEnd(8)} ${health.padEnd(8)} ${rate(perSecond).padStart(8)}  ${figures.map(({ label, value }) => `${label} ${value}`).join('  ')}`,
  )
  const events = shownRows()
    .slice(0, 12)
    .map(
      (row) =>
        `${time(row.written_at)}  ${verb(row.type).padEnd(8)} ${row.event_id}  seq ${row.sequence ?? '–'}  ${row.where}  ${ms(row.age_ms)}`,
    )
  return [now.verdict.headline, now.verdict.detail, now.at, '', ...stations, '', ...events, ''].join('\n')
}
