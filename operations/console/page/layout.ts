import { html, type View } from './html.ts'
import {
  canWrite,
  change,
  connection,
  hidden,
  href,
  me,
  paused,
  refusal,
  route,
  signIn,
  snapshot,
  switchTheme,
  toast,
} from './state.ts'

const PAGES: [string, string][] = [
  ['path', 'Path'],
  ['find', 'Find'],
  ['needs', 'Needs you'],
  ['relays', 'Relays'],
  ['actions', 'Actions'],
]

const KEYS: [string, string][] = [
  ['/', 'search'],
  ['j, k', 'next, previous event'],
  ['Enter', 'open the selected event'],
  ['p', 'pause or resume the live view'],
  ['?', 'these keys'],
]

export function Layout({ children }: { children: View }): View {
  const pages = me.value?.try_it ? [...PAGES, ['trial', 'Try it'] as [string, string]] : PAGES
  return html`<header class="top">
      <a class="brand" href=${href('path')}
        ><img src="./page/icon.svg" alt="" width="24" height="24" />product-events</a
      >
      <nav aria-label="Pages">
        ${pages.map(
          ([page, name]) =>
            html`<a key=${page} href=${href(page)} aria-current=${page === route.value.page ? 'page' : undefined}
              >${name}${page === 'needs' && html`<${Badge} />`}</a
            >`,
        )}
      </nav>
      <form class="search" role="search" onSubmit=${search}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="7" cy="7" r="4.5" />
          <path d="m10.5 10.5 4 4" />
        </svg>
        <input
          id="search"
          name="id"
          aria-label="Product, event, notification or trace id"
          placeholder="Product, event, notification or trace id"
          autocomplete="off"
          spellcheck=${false}
        />
        <kbd aria-hidden="true">/</kbd>
      </form>
      <${Live} />
      <button
        class="icon"
        aria-label="Hide payloads"
        title="Hide payloads"
        aria-pressed=${hidden.value}
        onClick=${() => change({ hide: hidden.value ? undefined : '1' })}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M1.5 8S4 3.5 8 3.5 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8z" />
          <circle cx="8" cy="8" r="2" />
          ${hidden.value && html`<path d="m2 14 12-12" />`}
        </svg>
      </button>
      <button class="icon" aria-label="Light or dark" title="Light or dark" onClick=${switchTheme}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="8" cy="8" r="5.5" />
          <path class="fill" d="M8 2.500a5.500 5.500 0 0 1 0 11z" />
        </svg>
      </button>
      <span class="who quiet">${me.value && `${me.value.subject} · ${canWrite.value ? 'operate' : 'read only'}`}</span>
    </header>
    <main id="main">${children}</main>
    <${SignIn} />
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        ${KEYS.map(
          ([key, text]) =>
            html`<div key=${key}>
              <dt><kbd>${key}</kbd></dt>
              <dd>${text}</dd>
            </div>`,
        )}
      </dl>
      <form method="dialog"><button>Close</button></form>
    </dialog>
    <div class="toast" role="status">${toast.value}</div>`
}

function Badge(): View {
  const count = snapshot.value?.needs_you ?? 0
  return count > 0 ? html` <span class="badge">${count}<span class="unseen"> open</span></span>` : html``
}

function Live(): View {
  const words = {
    connecting: 'connecting',
    live: paused.value ? 'paused' : 'live',
    lost: 'no answer',
    'sign-in': 'signed out',
  }
  const word = words[connection.value]
  return html`<span class="live ${word.replace(' ', '-')}" role="status"><i aria-hidden="true"></i>${word}</span>`
}

function search(event: SubmitEvent): void {
  event.preventDefault()
  const form = event.target as HTMLFormElement
  const id = (new FormData(form).get('id') as string).trim()
  if (!id) return
  location.hash = href('find', { id })
  form.querySelector('input')?.blur()
}

function SignIn(): View {
  if (connection.value !== 'sign-in') return html``
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    signIn(new FormData(event.target as HTMLFormElement).get('token') as string)
  }
  return html`<div class="veil">
    <form class="card sign-in" aria-labelledby="sign-in-title" onSubmit=${submit}>
      <h2 id="sign-in-title">Sign in</h2>
      <p>
        A bearer token with the scope <code>operations:read</code>; <code>operations:write</code> allows redriving. The
        page keeps it in memory only.
      </p>
      <label>Token <input name="token" type="password" autocomplete="off" required autofocus /></label>
      ${refusal.value && html`<p class="bad" role="alert">${refusal.value}</p>`}
      <button class="primary">Sign in</button>
    </form>
  </div>`
}
