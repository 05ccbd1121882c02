import type { FastifyInstance } from 'fastify'

/** A route's methods, found by a path that it would answer. */
export type AllowedMethods = (path: string) => string[]

/**
 * Remembers the routes as they are added, to tell a path that does not exist (404) from one that does, with other
 * methods (405). Fastify's router knows a path only together with its method.
 */
export function rememberMethods(app: FastifyInstance): AllowedMethods {
  const routes = new Map<string, { pattern: string[]; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: url.split('/'), methods: new Set() }
    for (const name of [method].flat()) route.methods.add(name)
    routes.set(url, route)
  })
  return (path) => {
    const parts = path.split('/')
    const methods = [...routes.values()].filter(({ pattern }) => matches(pattern, parts)).map((route) => route.methods)
    return [...new Set(methods.flatMap((names) => [...names]))].toSorted()
  }
}

/** Our routes have no other kind of wildcard than a `:parameter` and a closing `*`. */
function matches(pattern: string[], path: string[]): boolean {
  if (pattern.at(-1) === '*') return pattern.slice(0, -1).every((part, index) => matchesPart(part, path[index]))
  return pattern.length === path.length && pattern.every((part, index) => matchesPart(part, path[index]))
}

function matchesPart(part: string, actual: string | undefined): boolean {
  return part.startsWith(':') ? actual !== undefined && actual !== '' : part === actual
}
