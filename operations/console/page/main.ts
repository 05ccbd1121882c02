import { render } from 'preact'
import { Actions } from './actions.ts'
import { Find } from './find.ts'
import { html, type View } from './html.ts'
import { Layout } from './layout.ts'
import { Needs } from './needs.ts'
import { Path, shownRows } from './path.ts'
import { Relays } from './relays.ts'
import { change, href, live, paused, route } from './state.ts'
import { Trial } from './trial.ts'

const pages: Record<string, () => View> = {
  path: Path,
  find: Find,
  needs: Needs,
  relays: Relays,
  actions: Actions,
  trial: Trial,
}

function App(): View {
  const Page = pages[route.value.page] ?? Path
  return html`<${Layout}><${Page} /><//>`
}

addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement
  if (event.key === 'Escape') target.blur()
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return
  const act = keys[event.key]
  if (!act || (event.key === 'Enter' && target !== document.body)) return
  event.preventDefault()
  act()
})

const keys: Record<string, () => void> = {
  '/': () => document.getElementById('search')?.focus(),
  '?': () => (document.getElementById('keys') as HTMLDialogElement).showModal(),
  p: () => (paused.value = !paused.value),
  j: () => select(1),
  k: () => select(-1),
  Enter() {
    const row = shownRows()[selectedIndex()]
    if (route.value.page === 'path' && row) location.hash = href('find', { id: row.event_id })
  },
}

function selectedIndex(): number {
  const id = route.value.params.get('event')
  return Math.max(
    0,
    shownRows().findIndex(({ event_id }) => event_id === id),
  )
}

function select(by: number): void {
  const rows = shownRows()
  const row = rows[Math.min(rows.length - 1, Math.max(0, selectedIndex() + by))]
  if (route.value.page !== 'path' || !row) return
  change({ event: row.event_id })
  requestAnimationFrame(() => document.querySelector('tr.selected')?.scrollIntoView({ block: 'nearest' }))
}

const app = document.getElementById('app')
if (app) {
  app.replaceChildren()
  render(html`<${App} />`, app)
}
live()
