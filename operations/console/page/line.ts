import type { Snapshot, Station } from '../answers.ts'
import { rate } from './format.ts'
import { html, type View } from './html.ts'
import { paused } from './state.ts'

/** Dots that one section shows at most: more look like a line. */
const MOST_DOTS = 8
/** How long a dot takes from one station to the next. */
const TRAVEL_SECONDS = 1.6
/** Dots of a heap; each stands for several items when there are more. */
const MOST_HEAPED = 48

/** The seven stations. Dots move at the measured rate, and a heap stands where events stand. */
export function Line({ stations }: { stations: Snapshot['stations'] }): View {
  return html`<ol class="line ${paused.value ? 'still' : ''}">
    ${stations.map((station, index) => html`<${Stop} key=${station.number} station=${station} next=${stations[index + 1]} />`)}
  </ol>`
}

function Stop({ station, next }: { station: Station; next: Station | undefined }): View {
  const { number, name, about, health, figures, heap } = station
  const blocked = next !== undefined && ((heap > 0 && !next.rate) || (health === 'wrong' && next.health === 'wrong'))
  return html`<li class="stop ${health}">
    <span class="ring" aria-hidden="true">${health === 'wrong' ? '!' : number}</span>
    ${next && html`<span class="track ${blocked ? 'blocked' : health}" aria-hidden="true"><${Dots} rate=${blocked ? 0 : (station.rate ?? next.rate ?? 0)} /><${Heap} count=${heap} /></span>`}
    <b class="name">${name}<span class="unseen">: ${health}</span></b>
    <span class="about">${about}</span>
    <dl>
      <div>
        <dt>rate</dt>
        <dd>${rate(station.rate)}</dd>
      </div>
      ${figures.map(
        ({ label, value, alarm }) =>
          html`<div key=${label}>
            <dt>${label}</dt>
            <dd class=${alarm ? 'bad' : ''}>${value}</dd>
          </div>`,
      )}
    </dl>
  </li>`
}

function Dots({ rate }: { rate: number }): View {
  if (rate < 0.02) return html``
  const count = Math.max(1, Math.min(MOST_DOTS, Math.round(rate * TRAVEL_SECONDS)))
  const seconds = Math.max(TRAVEL_SECONDS, Math.min(20, count / rate))
  const dots = Array.from({ length: count }, (_, index) => (-index * seconds) / count)
  return html`${dots.map((delay) => html`<i class="dot" style=${{ animationDuration: `${seconds}s`, animationDelay: `${delay}s` }}></i>`)}`
}

function Heap({ count }: { count: number }): View {
  if (count === 0) return html``
  const dots = Math.min(MOST_HEAPED, count)
  return html`<span class="heap" data-count=${count}
    >${Array.from({ length: dots }, (_, index) => html`<i key=${index}></i>`)}</span
  >`
}
