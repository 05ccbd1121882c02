/** A third party's image with an exact tag, as Dockerfiles, compose files and settings name it. */
const IMAGE = /(?:^FROM |image: |"collectorImage": ")((?:[\w.-]+(?::\d+)?\/)*[\w.-]+:[\w.-]+)(?=$|[\s"])/gm
const ANSWER_MS = 30_000
const DIGEST = /^sha256:[0-9a-f]{64}$/
/** The list of all platforms, so that one digest serves both kinds of processors. */
const ACCEPT = 'application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json'

/** The images of a file that have no digest yet, without our own, which no registry has. */
export function imagesIn(text: string): string[] {
  const images = [...text.matchAll(IMAGE)].map(([, image = '']) => image)
  return [...new Set(images)].filter((image) => !image.startsWith('product-events:'))
}

/** Writes `digest` behind each mention of `image`. Throws when it is not a digest. */
export function pin(text: string, image: string, digest: string): string {
  if (!DIGEST.test(digest)) throw new Error(`${image}: ${JSON.stringify(digest)} is no digest`)
  return text.replaceAll(IMAGE, (mention, found: string) => (found === image ? `${mention}@${digest}` : mention))
}

/** Asks the image's registry. Rejects when the registry does not answer with a digest; `scheme` is for tests. */
export async function digestOf(image: string, scheme = 'https'): Promise<string> {
  const { host, repository, tag } = parse(image)
  const url = `${scheme}://${host}/v2/${repository}/manifests/${tag}`
  let response = await ask(url, { method: 'HEAD', headers: { accept: ACCEPT } })
  if (response.status === 401) {
    const authorization = `Bearer ${await anonymousToken(response.headers.get('www-authenticate') ?? '')}`
    response = await ask(url, { method: 'HEAD', headers: { accept: ACCEPT, authorization } })
  }
  const digest = response.headers.get('docker-content-digest') ?? ''
  if (!response.ok || !DIGEST.test(digest)) throw new Error(`${url} answered ${response.status} without a digest`)
  return digest
}

/** `fetch` says "fetch failed", and waits for as long as the other side likes. */
async function ask(url: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) })
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error & { code?: string } }
    throw new Error(`${url} does not answer: ${cause?.code ?? message}`, { cause: error })
  }
}

/** `Bearer realm="…",service="…",scope="…"`: where a token for reading is had, without an account. */
async function anonymousToken(challenge: string): Promise<string> {
  const { realm, ...query } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  )
  if (realm === undefined)
    throw new Error(`the registry asks for ${JSON.stringify(challenge)}, which is not understood`)
  const response = await ask(`${realm}?${new URLSearchParams(query as Record<string, string>)}`)
  const { token } = (await response.json()) as { token?: string }
  if (token === undefined) throw new Error(`${realm} gave no token`)
  return token
}

/** `postgres:18` is `registry-1.docker.io/library/postgres:18`. */
function parse(image: string): { host: string; repository: string; tag: string } {
  const colon = image.lastIndexOf(':')
  const [name, tag] = [image.slice(0, colon), image.slice(colon + 1)]
  const [first = '', ...rest] = name.split('/')
  if (rest.length > 0 && /[.:]/.test(first)) return { host: first, repository: rest.join('/'), tag }
  return { host: 'registry-1.docker.io', repository: rest.length === 0 ? `library/${name}` : name, tag }
}
