import type { OutboxView } from '../answers.ts'
import { plural } from './format.ts'
import { html, type View } from './html.ts'
import { Card, Copy } from './parts.ts'
import { snapshot } from './state.ts'

/** A lease lasts this long after each renewal. */
const LEASE_SECONDS = 10
/** Colours of the owners, by their place; further ones begin anew. */
const COLOURS = 6

export function Relays(): View {
  const outboxes = snapshot.value?.outboxes ?? []
  return html`<section class="verdict plain">
      <div class="say">
        <h1>Relays</h1>
        <p>
          Keys are spread over 64 lanes. A relay owns a lane by a lease that it renews every 2 s; 10 s after the last
          renewal another relay takes the lane over.
        </p>
      </div>
      <div class="does"><${Copy} text=${relaysText} /></div>
    </section>
    ${outboxes.length === 0 && html`<p class="quiet">One moment.</p>`}
    <div class="columns even">
      ${outboxes.map((outbox) => html`<${Outbox} key=${outbox.service} outbox=${outbox} />`)}
    </div>`
}

function Outbox({ outbox }: { outbox: OutboxView }): View {
  const { service, lanes, relays, unknown } = outbox
  const owned = lanes.filter((owner) => owner !== null).length
  const aside = html`<span class="state ${owned === lanes.length && owned > 0 ? 'good' : 'wrong'}"
    >${owned} of 64 lanes owned</span
  >`
  return html`<${Card}
    title=${service === 'product-service' ? 'Events: product-service' : 'Deliveries: notification-service'}
    aside=${aside}
  >
    ${unknown && html`<p class="empty bad">Unknown: ${unknown}</p>`}
    <ol class="lanes" aria-label="Lanes">
      ${lanes.map((owner, lane) => html`<li key=${lane} class=${owner === null ? 'free' : `owner-${owner % COLOURS}`} title=${`lane ${lane}: ${owner === null ? 'free' : relays[owner]?.name}`}><span aria-hidden="true">${lane}</span><span class="unseen">Lane ${lane}: ${owner === null ? 'free' : relays[owner]?.name}</span></li>`)}
    </ol>
    <table class="owners">
      <caption class="unseen">
        Relays
      </caption>
      <thead>
        <tr>
          <th>Relay</th>
          <th class="number">Lanes</th>
          <th>Lease</th>
        </tr>
      </thead>
      <tbody>
        ${relays.map(
          ({ name, lanes: count, lease_seconds: left }, index) =>
            html`<tr key=${name + index}>
              <td><i class="swatch owner-${index % COLOURS}" aria-hidden="true"></i>${name}</td>
              <td class="number">${count}</td>
              <td>
                <span class="lease"
                  ><i
                    class=${left < 4 ? 'low' : ''}
                    style=${{ width: `${Math.max(0, Math.min(1, left / LEASE_SECONDS)) * 100}%` }}
                  ></i
                ></span>
                ${left > 0 ? `${left.toFixed(1)} s left` : 'ran out'}
              </td>
            </tr>`,
        )}
        ${
          relays.length === 0 &&
          html`<tr>
            <td colspan="3" class="bad">No relay is alive.</td>
          </tr>`
        }
      </tbody>
    </table>
  <//>`
}

function relaysText(): string {
  return (snapshot.value?.outboxes ?? [])
    .map(({ service, relays }) => {
      const lines = relays.map(
        ({ name, lanes, lease_seconds }) => `  ${name}: ${plural(lanes, 'lane')}, lease ${lease_seconds.toFixed(1)} s`,
      )
      return `${service}\n${lines.join('\n') || '  no relay'}\n`
    })
    .join('')
}
