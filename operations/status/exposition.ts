/** One line of a scrape. */
export interface Sample {
  labels: Record<string, string>
  value: number
}

/** The samples of a process by the name of the metric. */
export type Metrics = ReadonlyMap<string, Sample[]>

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g

/**
 * Reads Prometheus' text format, as far as samples go: types and help texts are for others. Throws on a line that is
 * none of it, such as those of a web page.
 */
export function parseExposition(text: string): Metrics {
  const metrics = new Map<string, Sample[]>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? []
    if (name === undefined) throw new Error(`no line of metrics: ${line.slice(0, 60)}`)
    const samples = metrics.get(name) ?? []
    samples.push({ labels: parseLabels(labels), value: parseValue(value) })
    metrics.set(name, samples)
  }
  return metrics
}

function parseLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, unescape(value)] as const)
  return Object.fromEntries(pairs)
}

function unescape(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

/** `+Inf`, `-Inf` and `NaN` are numbers here. */
function parseValue(text: string): number {
  return Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'))
}
