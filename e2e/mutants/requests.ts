import type { Mutant } from './mutant.ts'

const access = ['packages/http-api/access.integration', 'packages/http-api/issuer-keys']
const once = ['services/product-service/products/create-once']

/** The API: group commit, access, idempotency. */
export const requestMutants: readonly Mutant[] = [
  {
    what: 'one faulty item fails its neighbours',
    file: 'packages/batcher/batcher.ts',
    find: 'if (batch.length > 1 && isFaultOfOne(error)) {',
    replace: 'if (false) {',
    tests: ['packages/batcher'],
  },
  {
    what: 'a run whose answer was lost is done again',
    file: 'packages/batcher/batcher.ts',
    find: 'if (batch.length > 1 && isFaultOfOne(error)) {',
    replace: 'if (batch.length > 1) {',
    tests: ['packages/batcher'],
  },
  {
    what: 'answers go to the wrong callers',
    file: 'packages/batcher/batcher.ts',
    find: 'resolve(results[index] as Result)',
    replace: 'resolve(results.at(-1 - index) as Result)',
    tests: ['packages/batcher'],
  },
  {
    what: 'a call may wait for ever',
    file: 'packages/batcher/batcher.ts',
    find: 'const tooOld = performance.now() - maxWaitMs',
    replace: 'const tooOld = -Infinity',
    tests: ['packages/batcher'],
  },
  {
    what: 'any number of calls may wait',
    file: 'packages/batcher/batcher.ts',
    find: 'if (waiting.length >= maxWaiting) return reject(refusal())',
    replace: '',
    tests: ['packages/batcher'],
  },
  {
    what: 'the scope to read is enough to write',
    file: 'packages/http-api/access.ts',
    find: `return method === 'GET' || method === 'HEAD' ? read : write`,
    replace: 'return method === method ? read : write',
    tests: access,
  },
  {
    what: 'a token without the scope passes',
    file: 'packages/http-api/access.ts',
    find: 'if (result.scopes.includes(scope)) return',
    replace: 'return',
    tests: access,
  },
  {
    what: 'HS256 is an algorithm',
    file: 'packages/http-api/tokens.ts',
    find: `const ALGORITHMS = ['RS256',`,
    replace: `const ALGORITHMS = ['HS256', 'none', 'RS256',`,
    tests: access,
  },
  {
    what: 'a token may have no end',
    file: 'packages/http-api/tokens.ts',
    find: `requiredClaims: ['exp', 'sub'],`,
    replace: `requiredClaims: ['sub'],`,
    tests: access,
  },
  {
    what: 'a token of another audience passes',
    file: 'packages/http-api/tokens.ts',
    find: '    audience,\n    algorithms',
    replace: '    algorithms',
    tests: access,
  },
  {
    what: 'a subject may be blank',
    file: 'packages/http-api/tokens.ts',
    find: `typeof payload.sub !== 'string' || payload.sub.trim() === ''`,
    replace: `typeof payload.sub !== 'string'`,
    tests: access,
  },
  {
    what: 'another body under a used key is answered with the first answer',
    file: 'services/product-service/products/create-once.ts',
    find: 'return found.request_hash === request_hash',
    replace: 'return found.request_hash !== ""',
    tests: once,
  },
  {
    what: 'keys of two callers are one',
    file: 'services/product-service/products/create-once.ts',
    find: 'WHERE caller = $1 AND key = $2',
    replace: 'WHERE $1::text IS NOT NULL AND key = $2',
    tests: once,
  },
  {
    what: 'a second request beside the first writes too',
    file: 'services/product-service/products/create-once.ts',
    find: `if (inProgress.has(name)) return { kind: 'in-progress' }`,
    replace: '',
    tests: once,
  },
  {
    what: 'a request that failed keeps its key in progress',
    file: 'services/product-service/products/create-once.ts',
    find: 'inProgress.delete(name)',
    replace: 'void name',
    tests: once,
  },
  {
    what: 'a key that another process committed meanwhile is an error',
    file: 'services/product-service/products/create-once.ts',
    find: 'if (!isTaken(error)) throw error',
    replace: 'throw error',
    tests: once,
  },
]
