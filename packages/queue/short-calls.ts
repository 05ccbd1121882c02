import type { SQSClient } from '@aws-sdk/client-sqs'
import { getSmithyContext, HttpRequest, type HttpResponse } from '@smithy/core/transport'
import type {
  DeserializeHandler,
  DeserializeMiddleware,
  FinalizeHandlerArguments,
  FinalizeRequestMiddleware,
  HandlerExecutionContext,
  MetadataBearer,
  SelectedHttpAuthScheme,
} from '@smithy/types'

/** The calls that a message costs. All others go all the way through the SDK. */
const SHORT = new Set(['SendMessageBatch', 'ReceiveMessage', 'DeleteMessageBatch'])
/** Headers of the SDK's retries, and one that undici writes. */
const OF_ONE_CALL = ['amz-sdk-invocation-id', 'amz-sdk-request', 'content-length']

/** The SDK's reading of the client's configuration: the same for each call of one kind to one queue. */
interface Route {
  request: HttpRequest
  scheme: SelectedHttpAuthScheme
}

type Deserialize = DeserializeHandler<object, MetadataBearer>
type Sign = (args: { input: object; request: HttpRequest }) => Promise<{ output: object; response: unknown }>

/**
 * Lets the calls that a message costs skip what the SDK does alike for each call: resolving endpoint, auth scheme and
 * user agent, and retries, which `connectSqs` turns off. The first call of a kind to a queue goes all the way, and its
 * route is remembered; later ones begin at the SDK's signing. Errors come from the SDK.
 */
export function shortenCalls(sqs: SQSClient): void {
  const routes = new Map<string, Route>()
  const signing = new WeakMap<HandlerExecutionContext, Sign>()
  const rememberRoute: FinalizeRequestMiddleware<object, MetadataBearer> = (next, context) => {
    if (!SHORT.has(operationOf(context))) return next
    signing.set(context, next)
    return (args) => {
      const route = routeOf(context, args)
      if (route) routes.set(keyOf(context, args.input), route)
      return next(args)
    }
  }
  sqs.middlewareStack.addRelativeTo(rememberRoute, {
    relation: 'before',
    toMiddleware: 'httpSigningMiddleware',
    name: 'rememberRoute',
  })
  sqs.middlewareStack.add(
    (next, context) => {
      const sign = signing.get(context)
      if (sign === undefined) return next
      return async (args) => {
        const route = routes.get(keyOf(context, args.input))
        const body = route && plainBody(args.input)
        if (route === undefined || body === undefined) return next(args)
        const { request, scheme } = route
        getSmithyContext(context).selectedHttpAuthScheme = scheme
        const unsigned = HttpRequest.clone(request)
        unsigned.body = body
        try {
          const result = await sign({ input: args.input, request: unsigned })
          counted(result.output)
          return result as Awaited<ReturnType<typeof next>>
        } catch (error) {
          counted(error as object)
          throw error
        }
      }
    },
    // Inside of all that watches calls from this step.
    { step: 'initialize', priority: 'low', name: 'shortenCalls' },
  )
  readPlainAnswers(sqs)
  keepSigner(sqs)
}

const operationOf = ({ commandName = '' }: HandlerExecutionContext) => commandName.replace(/Command$/, '')

const keyOf = (context: HandlerExecutionContext, input: object) =>
  `${context.commandName} ${(input as { QueueUrl?: string }).QueueUrl}`

function routeOf(context: HandlerExecutionContext, { request }: FinalizeHandlerArguments<object>): Route | undefined {
  const scheme = getSmithyContext(context).selectedHttpAuthScheme as SelectedHttpAuthScheme | undefined
  if (!HttpRequest.isInstance(request) || scheme === undefined) return undefined
  const remembered = HttpRequest.clone(request)
  remembered.body = undefined
  for (const name of OF_ONE_CALL) delete remembered.headers[name]
  return { request: remembered, scheme }
}

/** Undefined when only the SDK can write it: JSON has no bytes. */
function plainBody(input: object): string | undefined {
  const body = JSON.stringify(input)
  return body.includes('"BinaryValue":') ? undefined : body
}

/** Notes what the SDK's retries would, turned off as they are. */
function counted(it: { $metadata?: object }): void {
  it.$metadata = Object.assign(it.$metadata ?? {}, { attempts: 1, totalRetryDelay: 0 })
}

/** The SDK makes a signer for each call, of a configuration that never changes. */
function keepSigner({ config }: SQSClient): void {
  const { signer } = config
  let kept: ReturnType<typeof signer> | undefined
  config.signer = (scheme) =>
    (kept ??= signer(scheme).catch((error: unknown) => {
      kept = undefined
      throw error
    }))
}

/** Reads plain answers of the short calls as the JSON that they are, and leaves errors and all others to the SDK. */
function readPlainAnswers({ middlewareStack }: SQSClient): void {
  const answers = new WeakMap<HandlerExecutionContext, Deserialize>()
  const answerFrom: DeserializeMiddleware<object, MetadataBearer> = (next, context) => {
    if (!SHORT.has(operationOf(context))) return next
    answers.set(context, next)
    return (args) => ('answer' in args ? (args.answer as ReturnType<Deserialize>) : next(args))
  }
  const readPlain: DeserializeMiddleware<object, MetadataBearer> = (next, context) => {
    const ask = answers.get(context)
    if (ask === undefined) return next
    return async (args) => {
      const answer = await ask(args)
      const output = plainAnswer(answer.response as HttpResponse)
      return output ? { ...answer, output } : next({ ...args, answer } as typeof args)
    }
  }
  const toMiddleware = 'deserializerMiddleware'
  middlewareStack.addRelativeTo(answerFrom, { relation: 'after', toMiddleware, name: 'answerFrom' })
  middlewareStack.addRelativeTo(readPlain, { relation: 'before', toMiddleware, name: 'readPlain' })
}

/** Undefined for an answer that is not a JSON object, or has bytes or null: the SDK decodes or drops these. */
function plainAnswer({ statusCode, headers, body }: HttpResponse): MetadataBearer | undefined {
  if (statusCode !== 200 || !Buffer.isBuffer(body)) return undefined
  const text = body.toString()
  if (!text.startsWith('{') || text.includes('"BinaryValue":')) return undefined
  try {
    const output = JSON.parse(text) as object
    if (Object.values(output).includes(null)) return undefined
    return { ...output, $metadata: { httpStatusCode: statusCode, requestId: headers['x-amzn-requestid'] as string } }
  } catch {
    return undefined
  }
}
