import type { Snapshot } from '../answers.ts'
import { shortTime } from './format.ts'
import { html, type View } from './html.ts'

const HEIGHT = 100

/** Written and notified events a second over the last 15 minutes, drawn by hand. */
export function Chart({ history, at }: { history: Snapshot['history']; at: string }): View {
  const { written, notified, seconds } = history
  const most = Math.max(1, ...written.map((value) => value ?? 0), ...notified.map((value) => value ?? 0))
  const y = (value: number) => HEIGHT - 2 - (value / most) * (HEIGHT - 6)
  const last = written.length - 1
  const tick = (share: number) =>
    shortTime(new Date(Date.parse(at) - (1 - share) * last * seconds * 1000).toISOString()).slice(0, 5)
  const now = (values: (number | null)[]) => (values.at(-1) ?? 0).toFixed(1)
  return html`<figure class="chart">
    <span class="most" aria-hidden="true">${most < 10 ? most.toFixed(1) : Math.round(most)}/s</span>
    <svg
      viewBox="0 0 ${last} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label="Written ${now(written)} and notified ${now(notified)} events a second now"
    >
      <path class="grid" d="M0 ${y(most)}H${last}M0 ${y(most / 2)}H${last}M0 ${y(0)}H${last}" />
      <path class="gap" d=${gaps(written, notified, y)} />
      <path class="written" d=${path(written, y)} />
      <path class="notified" d=${path(notified, y)} />
    </svg>
    <figcaption aria-hidden="true">
      <span>${tick(0)}</span><span>${tick(1 / 3)}</span><span>${tick(2 / 3)}</span><span>now</span>
    </figcaption>
  </figure>`
}

function path(values: (number | null)[], y: (value: number) => number): string {
  let pen = 'M'
  return values
    .map((value, index) => {
      if (value === null) {
        pen = 'M'
        return ''
      }
      const point = `${pen}${index} ${y(value).toFixed(1)}`
      pen = 'L'
      return point
    })
    .join('')
}

/** Where events were written and none was notified. */
function gaps(written: (number | null)[], notified: (number | null)[], y: (value: number) => number): string {
  return written
    .map((value, index) => {
      if (!value || notified[index] !== 0) return ''
      return `M${index - 0.5} ${y(value).toFixed(1)}h1V${y(0)}h-1z`
    })
    .join('')
}
