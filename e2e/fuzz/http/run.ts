import { Agent } from 'node:http'
import fc from 'fast-check'
import type pg from 'pg'
import { type AnswerCheck, createAnswerCheck } from '../../../packages/http-api/testing/check-answer.ts'
import type { OpenApiDocument } from '../../../packages/http-api/openapi-document.ts'
import { judge } from './judge.ts'
import { createModel, type Model } from './model.ts'
import { type FuzzRequest, requestsOf } from './requests.ts'
import { asCurl, type Outcome, send } from './send.ts'

/** Enough to meet each other, few enough that the service is never overloaded. */
const CLIENTS = 8
/** After so many requests the database is compared with the answers. */
const ROUND = 500

export interface FuzzOptions {
  url: string
  pool: pg.Pool
  requests: number
  seed: number
  /** Called after each round. */
  onRound: (sent: number) => void | Promise<void>
}

export interface FuzzResult {
  sent: number
  /** By status; `gone` where the connection ended without an answer. */
  counts: Record<string, number>
  /** What went wrong, with the request that did it. */
  violations: string[]
}

/**
 * Sends requests made from the service's own document, and holds every answer and the database against it. Each of its
 * clients works on products of its own, one request at a time, so what each product must be is known at any time.
 */
export async function fuzz({ url, pool, requests, seed, onRound }: FuzzOptions): Promise<FuzzResult> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument
  const check = createAnswerCheck(document)
  const any = requestsOf(document)
  const clients = Array.from({ length: CLIENTS }, createModel)
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS * 2 })
  const result: FuzzResult = { sent: 0, counts: {}, violations: [] }
  const at = { agent, base: new URL(url), check, result }
  try {
    while (result.sent < requests && result.violations.length === 0) {
      const size = Math.min(ROUND, requests - result.sent)
      const round = fc.sample(any, { numRuns: size, seed: seed + result.sent })
      await Promise.all(
        clients.map((model, n) =>
          work(
            at,
            model,
            round.filter((_, index) => index % CLIENTS === n),
            n,
          ),
        ),
      )
      result.sent += size
      for (const model of clients) result.violations.push(...(await model.compare(pool)))
      await onRound(result.sent)
    }
  } finally {
    agent.destroy()
  }
  return result
}

interface Workplace {
  agent: Agent
  base: URL
  check: AnswerCheck
  result: FuzzResult
}

async function work({ agent, base, check, result }: Workplace, model: Model, requests: FuzzRequest[], client: number) {
  for (const made of requests) {
    const request = aimed(made, model, client)
    const outcome = await send(agent, base, request)
    const name = nameOf(outcome)
    result.counts[name] = (result.counts[name] ?? 0) + 1
    const fault = judge(request, outcome, check, model)
    if (fault !== undefined) result.violations.push(`${fault}\n  ${asCurl(base, request)}`)
  }
}

function nameOf(outcome: Outcome): string {
  return outcome.kind === 'answer' ? String(outcome.answer.status) : outcome.kind
}

/** At a product of this client, and with keys that no other client uses. */
function aimed(request: FuzzRequest, model: Model, client: number): FuzzRequest {
  const id = typeof request.id === 'number' ? (model.ids()[request.id] ?? 'none-yet') : request.id
  const key = request.headers['idempotency-key']
  const own = key !== undefined && request.isValid && { 'idempotency-key': `${key.slice(0, -1)}${client}` }
  return { ...request, url: request.url.replace('{id}', id), headers: { ...request.headers, ...own } }
}
