import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Action } from '../answers.ts'
import { day } from './format.ts'
import { html, type View } from './html.ts'
import { Card, Copy } from './parts.ts'
import { ask, snapshot } from './state.ts'

export const actions = signal<Action[] | undefined>()
const problem = signal('')

export async function loadActions(): Promise<void> {
  try {
    actions.value = (await ask<{ actions: Action[] }>('actions')).actions
    problem.value = ''
  } catch (error) {
    problem.value = (error as Error).message
  }
}

export function Actions(): View {
  useEffect(() => void loadActions(), [])
  useEffect(() => {
    if (problem.value || actions.value?.some(({ level }) => level === 'busy')) void loadActions()
  }, [snapshot.value])
  const rows = actions.value ?? []
  return html`<section class="verdict plain">
      <div class="say">
        <h1>Actions</h1>
        <p>Who did what from this console, why, and what became of it. The newest 50.</p>
      </div>
      <div class="does"><${Copy} text=${() => actionsText(rows)} /></div>
    </section>
    <${Card} title="Record" aside=${html`<span class="quiet wide">kept in console.actions</span>`}
      ><${ActionTable} rows=${rows}
    /><//>`
}

export function ActionTable({ rows }: { rows: Action[] }): View {
  if (problem.value) return html`<p class="empty bad">${problem.value}</p>`
  if (rows.length === 0) return html`<p class="empty">Nothing was done here yet.</p>`
  return html`<table class="done">
    <caption class="unseen">
      Actions, newest first
    </caption>
    <thead>
      <tr>
        <th>When</th>
        <th>Who</th>
        <th>What</th>
        <th class="wide">Why</th>
        <th>Outcome</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ id, at, who, what, why, outcome, level }) =>
          html`<tr key=${id}>
            <td class="mono">${day(at)}</td>
            <td>${who}</td>
            <td>${what}</td>
            <td class="wide quiet">${why}</td>
            <td><span class="state ${level}">${outcome}</span></td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

function actionsText(rows: Action[]): string {
  return rows.map(({ at, who, what, why, outcome }) => `${at}  ${who} ${what} (${why}): ${outcome}\n`).join('')
}
