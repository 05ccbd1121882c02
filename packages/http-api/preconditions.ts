import { HttpProblem } from './problems.ts'

/** Which precondition of a request is not met by the resource as it is; undefined when it may go on. */
export type FailedPrecondition = 'if-match' | 'if-none-match' | undefined

export interface PreconditionHeaders {
  'if-match'?: string
  'if-none-match'?: string
}

/** An entity tag of RFC 9110, section 8.8.3. */
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/**
 * Reads If-Match and If-None-Match, and returns what tells whether they hold for a strong entity tag. If-Match compares
 * strongly, so a weak tag never matches there; If-None-Match compares weakly (RFC 9110, section 13.1). Throws a problem
 * (400) for a value that is neither `*` nor a list of entity tags.
 */
export function readPreconditions(headers: PreconditionHeaders): (etag: string) => FailedPrecondition {
  const { match, noneMatch } = readEntityTags(headers)
  return (etag) => {
    if (match !== '*' && !match.includes(etag)) return 'if-match'
    return noneMatch === '*' || noneMatch.includes(etag) ? 'if-none-match' : undefined
  }
}

export interface EntityTags {
  /** The strong tags of If-Match, one of which the resource must have; `*` when any will do. */
  match: '*' | string[]
  /** The tags of If-None-Match, as strong ones, none of which the resource may have; `*` when none will do. */
  noneMatch: '*' | string[]
}

/** The same as data, for a statement that checks them. */
export function readEntityTags(headers: PreconditionHeaders): EntityTags {
  const noneMatch = readTags('if-none-match', headers['if-none-match']) ?? []
  return {
    match: readTags('if-match', headers['if-match']) ?? '*',
    noneMatch: noneMatch === '*' ? '*' : noneMatch.map((tag) => tag.replace(/^W\//, '')),
  }
}

function readTags(field: string, header: string | undefined): '*' | string[] | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return '*'
  const tags: string[] = []
  const elements = header
    .replaceAll(ENTITY_TAG, (tag) => {
      tags.push(tag)
      return '"'
    })
    .split(',')
    .map((element) => element.trim())
    // A list may have empty elements.
    .filter((element) => element !== '')
  // The rest is not a tag, or is a tag behind another without a comma.
  if (tags.length > 0 && elements.length === tags.length && elements.every((element) => element === '"')) return tags
  throw new HttpProblem('invalid-request', 'The headers are not valid.', [
    { field, message: 'must be * or a list of entity tags, such as "1"' },
  ])
}
