import { examplesOf, type Operation } from './openapi-document.ts'

/** A command that makes this call, with the document's own examples. `name` is such as `GET /products/{id}`. */
export function curlOf(
  baseUrl: string,
  name: string,
  { parameters = [], requestBody, security, responses }: Operation,
): string {
  const [method = 'GET', path = '/'] = name.split(' ')
  const examples = parameters.map((parameter) => ({ ...parameter, value: examplesOf(parameter)[0] }))
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent((examples.find(({ name }) => name === parameter)?.value as string | undefined) ?? parameter),
  )
  const streams = Object.values(responses).some(
    (answer) => 'content' in answer && 'text/event-stream' in (answer.content ?? {}),
  )
  const [[mediaType, media] = []] = Object.entries(requestBody?.content ?? {})
  const needsToken = security?.some((scheme) => Object.keys(scheme).length > 0) ?? false
  const parts = [
    `curl ${streams ? '-N' : '-i'}${method === 'GET' ? '' : ` -X ${method}`} ${quoted(baseUrl + filled)}`,
    ...(needsToken ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(mediaType === undefined ? [] : [`-H ${quoted(`Content-Type: ${mediaType}`)}`]),
    ...(media === undefined ? [] : [`--data-raw ${quoted(JSON.stringify(examplesOf(media)[0] ?? {}))}`]),
  ]
  return parts.join(' \\\n  ')
}

/** As one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
