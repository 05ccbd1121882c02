import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { DryRun, Group, Needs as Answer, Source, Verdict } from '../answers.ts'
import { ActionTable, actions, loadActions } from './actions.ts'
import { day, plural, secret } from './format.ts'
import { html, type View } from './html.ts'
import { Card, Copy, Headline } from './parts.ts'
import { ask, canWrite, href, route, say, snapshot } from './state.ts'

const SOURCES: { source: Source; title: string; about: string }[] = [
  { source: 'failing', title: 'Messages failing now', about: 'notification-service, SQS will give them again' },
  { source: 'events', title: 'Dead events', about: 'product-service, given up by the relay' },
  { source: 'messages', title: 'Messages in the dead-letter queue', about: 'received five times and never handled' },
  { source: 'deliveries', title: 'Abandoned deliveries', about: 'notification-service, given up by a channel' },
]

const answers = signal<Partial<Record<Source, Answer>>>({})

const loading = new Set<Source>()
/** Sources that changed while they were being read: that answer may be older than the change. */
const changed = new Set<Source>()

async function load(source: Source): Promise<void> {
  if (loading.has(source)) return void changed.add(source)
  loading.add(source)
  const answer = await ask<Answer>(`needs?source=${source}`).catch((error: Error): Answer => ({
    at: '',
    groups: [],
    unknown: [{ source, reason: error.message }],
  }))
  answers.value = { ...answers.value, [source]: answer }
  loading.delete(source)
  if (changed.delete(source)) await load(source)
}

function loadAll(): void {
  for (const { source } of SOURCES) void load(source)
  void loadActions()
}

export function Needs(): View {
  const count = snapshot.value?.needs_you
  // The number alone is not enough: it changes while an action is under way, whose items are read from a cache then.
  const ended = actions.value?.filter(({ state }) => state !== 'running').map(({ id }) => id)
  useEffect(loadAll, [count, ended?.join()])
  useEffect(() => {
    if (actions.value?.some(({ level }) => level === 'busy')) void loadActions()
  }, [snapshot.value])
  const known = SOURCES.filter(({ source }) => answers.value[source])
  const groups = known.flatMap(({ source }) => answers.value[source]?.groups ?? [])
  const total = groups.reduce((sum, group) => sum + group.count, 0)
  const unknown = known.flatMap(({ source }) => answers.value[source]?.unknown ?? [])
  return html`<${Headline} verdict=${verdictOf(total, unknown.length, known.length === SOURCES.length)}
      ><button onClick=${loadAll}>Look again</button><${Copy} text=${() => needsText(groups)}
    /><//>
    ${SOURCES.map(({ source, title, about }) => html`<${Section} key=${source} source=${source} title=${title} about=${about} answer=${answers.value[source]} />`)}
    <${Card} title="What was done here" aside=${html`<a href=${href('actions')}>All actions</a>`}
      ><${ActionTable} rows=${(actions.value ?? []).slice(0, 5)}
    /><//>`
}

function verdictOf(total: number, unknown: number, complete: boolean): Verdict {
  const detail = 'Grouped by reason. Nothing here blocks anything else.'
  if (!complete && total === 0)
    return {
      level: 'unknown',
      headline: 'Looking…',
      detail: 'PostgreSQL and the dead-letter queue are being read.',
      actions: [],
    }
  if (total > 0)
    return { level: 'busy', headline: `${plural(total, 'thing needs', 'things need')} you.`, detail, actions: [] }
  if (unknown > 0)
    return {
      level: 'unknown',
      headline: 'Not all of it is known.',
      detail: 'A source does not answer: see below.',
      actions: [],
    }
  return {
    level: 'good',
    headline: 'Nothing needs you.',
    detail: 'No event is dead, no delivery is abandoned, and the dead-letter queue is empty.',
    actions: [],
  }
}

function Section({
  source,
  title,
  about,
  answer,
}: {
  source: Source
  title: string
  about: string
  answer: Answer | undefined
}): View {
  const count = answer?.groups.reduce((sum, group) => sum + group.count, 0) ?? 0
  if (answer && count === 0 && answer.unknown.length === 0) return html``
  const heading = html`${title} ${count > 0 && html`<span class="badge">${count}</span>`}`
  return html`<${Card} title=${heading} aside=${html`<span class="quiet wide">${about}</span>`} name="needs">
    ${!answer && html`<p class="empty">Looking…</p>`}
    ${answer?.unknown.map(({ reason }) => html`<p class="empty bad">Unknown: ${reason}</p>`)}
    ${answer?.groups.map((group) => html`<${One} key=${group.key} group=${group} source=${source} />`)}
  <//>`
}

/** The group whose form is open, and what a dry run said. */
const order = signal<
  { key: string; what: 'redrive' | 'delete'; plan: DryRun | undefined; problem: string } | undefined
>()

function One({ group, source }: { group: Group; source: Source }): View {
  const { key, reason, advice, count, products, attempts, first_at, last_at, can_redrive } = group
  const open = order.value?.key === key ? order.value : undefined
  const times = first_at === last_at ? day(first_at) : `${day(first_at)} to ${day(last_at)}`
  const facts = [
    products > 0 && plural(products, 'product'),
    attempts > 0 && plural(attempts, 'attempt'),
    times,
  ].filter(Boolean)
  return html`<article class="group">
    <div class="about">
      <h3>${secret(reason)}</h3>
      <p>${facts.join(', ')}. ${advice}</p>
    </div>
    <div class="does">
      ${canWrite.value && can_redrive && html`<button class="primary" aria-expanded=${open?.what === 'redrive'} onClick=${() => void plan(group, 'redrive')}>Redrive ${count}…</button>`}
      ${canWrite.value && source === 'messages' && html`<button class="danger" aria-expanded=${open?.what === 'delete'} onClick=${() => void plan(group, 'delete')}>Delete ${count}…</button>`}
    </div>
    <details class="items" open=${route.value.params.get('group') === key}>
      <summary>Show ${count > group.items.length ? `the first ${group.items.length}` : count}</summary>
      <table>
        <caption class="unseen">
          Items
        </caption>
        <thead>
          <tr>
            <th>Since</th>
            <th>Type</th>
            <th>About</th>
            <th>Id</th>
          </tr>
        </thead>
        <tbody>
          ${group.items.map(
            ({ id, type, about, at, find }) =>
              html`<tr key=${id}>
                <td class="mono">${day(at)}</td>
                <td>${type}</td>
                <td class="cut">${secret(about)}</td>
                <td class="mono"><a href=${href('find', { id: find })}>${id}</a></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>
    ${open && html`<${Form} group=${group} />`}
  </article>`
}

async function plan(group: Group, what: 'redrive' | 'delete'): Promise<void> {
  const { key, source } = group
  if (order.value?.key === key && order.value.what === what) return void (order.value = undefined)
  order.value = { key, what, plan: undefined, problem: '' }
  try {
    const answer = await ask<DryRun>('actions', { what, source, key, why: 'dry run', dry_run: true })
    order.value = { key, what, plan: answer, problem: '' }
  } catch (error) {
    order.value = { key, what, plan: undefined, problem: (error as Error).message }
  }
}

function Form({ group }: { group: Group }): View {
  const { what, plan, problem } = order.value ?? { what: 'redrive', plan: undefined, problem: '' }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const data = new FormData(event.target as HTMLFormElement)
    void act(group, what, Number(data.get('rate') ?? 50), data.get('why') as string)
  }
  const verb = what === 'redrive' ? 'Redrive' : 'Delete'
  return html`<form class="plan" onSubmit=${submit}>
    <h4>Before you do it</h4>
    ${problem && html`<p class="bad" role="alert">${problem}</p>`}
    ${!plan && !problem && html`<p class="quiet">Dry run…</p>`}
    ${
      plan &&
      html`<ul>
        ${what === 'delete' && html`<li>${plural(plan.count, 'message is', 'messages are')} deleted for good.</li>`}
        ${what === 'redrive' && plan.in_order > 0 && html`<li>${plural(plan.in_order, 'item leaves', 'items leave')} in the order of ${plan.in_order === 1 ? 'its product' : 'their products'}.</li>`}
        ${what === 'redrive' && plan.notes.map((note) => html`<li key=${note}>${note}</li>`)}
      </ul>`
    }
    <div class="fields">
      ${what === 'redrive' && html`<label>At most <input name="rate" type="number" min="1" max="1000" value="50" required /> a second</label>`}
      <label class="grow">Why <input name="why" maxlength="500" required placeholder="For the record" /></label>
      <button type="button" onClick=${() => (order.value = undefined)}>Cancel</button>
      <button class=${what === 'redrive' ? 'primary' : 'danger'} disabled=${!plan}>
        ${verb} ${plan?.count ?? group.count}
      </button>
    </div>
  </form>`
}

async function act({ key, source }: Group, what: 'redrive' | 'delete', rate: number, why: string): Promise<void> {
  try {
    await ask('actions', { what, source, key, rate, why })
    order.value = undefined
    say(what === 'redrive' ? 'The redrive has started.' : 'The messages are being deleted.')
    loadAll()
  } catch (error) {
    if (order.value) order.value = { ...order.value, problem: (error as Error).message }
  }
}

function needsText(groups: Group[]): string {
  return groups
    .map(({ source, count, reason, advice }) => `${source}: ${count} × ${secret(reason)}\n  ${advice}\n`)
    .join('')
}
