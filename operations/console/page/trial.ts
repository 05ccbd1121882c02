import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Trial as Answer } from '../answers.ts'
import { shortTime } from './format.ts'
import { html, type View } from './html.ts'
import { Line } from './line.ts'
import { Card, Headline, WhatToDo } from './parts.ts'
import { ask, canWrite, say, snapshot } from './state.ts'

const state = signal<Answer | undefined>()
const problem = signal('')

async function load(play?: object): Promise<void> {
  try {
    state.value = await ask<Answer>('trial', play)
    problem.value = ''
  } catch (error) {
    problem.value = (error as Error).message
    if (play) say(problem.value)
  }
}

export function Trial(): View {
  useEffect(() => void load(), [snapshot.value])
  const now = snapshot.value
  const trial = state.value
  if (!now || !trial) return html`<p class=${problem.value ? 'bad' : 'quiet'}>${problem.value || 'One moment.'}</p>`
  const locked = !canWrite.value
  return html`<${Headline} verdict=${now.verdict}><${WhatToDo} actions=${now.verdict.actions} /><//>
    <section class="card journey" aria-label="The seven steps"><${Line} stations=${now.stations} /></section>
    <div class="columns even">
      <${Card} title="Traffic" aside=${html`<span class="quiet">by the API of product-service</span>`}>
        <div class="traffic">
          <label
            >Changes a second <output>${trial.traffic}</output>
            <input
              type="range"
              min="0"
              max="50"
              step="1"
              value=${trial.traffic}
              disabled=${locked}
              onChange=${(event: Event) => void load({ traffic: Number((event.target as HTMLInputElement).value) })}
            />
          </label>
          <div class="buttons">
            ${[
              ['create', 'Create a product'],
              ['update', 'Change one'],
              ['delete', 'Delete one'],
            ].map(
              ([product, text]) =>
                html`<button key=${product} disabled=${locked} onClick=${() => void load({ product })}>
                  ${text}
                </button>`,
            )}
          </div>
        </div>
        <ol class="log" aria-label="What was played">
          ${trial.log.map(({ at, text }) => html`<li key=${at + text}><span class="mono quiet">${shortTime(at)}</span> ${text}</li>`)}
        </ol>
      <//>
      <${Card} title="Faults" aside=${html`<span class="quiet">each one heals</span>`}>
        <ul class="faults">
          ${trial.faults.map(
            ({ name, title, text, seconds_left: left }) =>
              html`<li key=${name} class=${left === null ? '' : 'playing'}>
                <div>
                  <b>${title}</b>
                  <p>${text}</p>
                </div>
                <button disabled=${locked || left !== null} onClick=${() => void load({ fault: name })}>
                  ${left === null ? 'Play' : `${Math.ceil(left)} s left`}
                </button>
              </li>`,
          )}
        </ul>
      <//>
    </div>`
}
