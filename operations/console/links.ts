import type { FindPlaces } from './find/answer.ts'

/** Addresses of other systems, in which `{id}` stands for a trace id or an event id. */
export function linksTo({
  traceUrl,
  logsUrl,
}: {
  traceUrl: string | undefined
  logsUrl: string | undefined
}): FindPlaces['links'] {
  return ({ trace, eventId }) => [
    ...(logsUrl === undefined ? [] : [{ name: 'Logs', url: logsUrl.replaceAll('{id}', encodeURIComponent(eventId)) }]),
    ...(traceUrl === undefined || trace === undefined
      ? []
      : [{ name: 'Trace', url: traceUrl.replaceAll('{id}', trace) }]),
  ]
}
