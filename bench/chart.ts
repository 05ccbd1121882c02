import type { Standing } from './compare.ts'
import { round } from './table.ts'

/** Wide enough for a name and its bar, narrow enough for half a page. */
const WIDTH = 640
const NAMES = 250
const ROW = 22
const BAR = 12
const TOP = 26
/** What stands right of the longest bar: its figure. */
const FIGURES = 60
/** Beyond this the shortest bars could not be seen: then the scale is logarithmic, and says so. */
const LINEAR_UP_TO = 50

/**
 * Bars of one figure, one for each contestant that has it: the median, and a line from the lowest to the highest round.
 * Ours are coloured. An SVG that brings its own colours for light and for dark pages.
 */
export function toChart(title: string, figure: string, standings: Standing[]): string {
  const bars = standings.flatMap(({ name, figures }) => (figures[figure] ? [{ name, ...figures[figure] }] : []))
  const most = Math.max(...bars.map(({ max }) => max))
  const least = Math.min(...bars.map(({ min }) => min))
  const logarithmic = most / least > LINEAR_UP_TO
  // A power of ten below the least, so that the shortest bar has a length.
  const from = 10 ** Math.floor(Math.log10(least) - 0.01)
  const share = (value: number) => (logarithmic ? Math.log(value / from) / Math.log(most / from) : value / most)
  const x = (value: number) => (NAMES + share(value) * (WIDTH - NAMES - FIGURES)).toFixed(1)
  const rows = bars.map(({ name, median, min, max }, index) => {
    const [top, middle] = [TOP + index * ROW, TOP + index * ROW + BAR / 2]
    return [
      `<text x="${NAMES - 8}" y="${middle + 4}" text-anchor="end">${escape(name)}</text>`,
      `<rect class="${isOurs(name) ? 'ours' : 'other'}" x="${NAMES}" y="${top}" width="${(Number(x(median)) - NAMES).toFixed(1)}" height="${BAR}"/>`,
      `<path d="M${x(min)} ${middle}H${x(max)}"/>`,
      `<text x="${Number(x(max)) + 6}" y="${middle + 4}">${round(median)}</text>`,
    ].join('\n')
  })
  const height = TOP + bars.length * ROW + 4
  const scale = `${figure}, median, lowest to highest${logarithmic ? ', logarithmic' : ''}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escape(title)}</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.scale { fill: #59636e }
.ours { fill: #0969da }
.other { fill: #afb8c1 }
path { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.scale { fill: #9198a1 }
.ours { fill: #4493f8 }
.other { fill: #57606a }
path { stroke: #e6edf3 }
}
</style>
<text class="scale" x="${NAMES}" y="14">${escape(scale)}</text>
${rows.join('\n')}
</svg>
`
}

/** Everything of ours is called so, or by its own name. */
function isOurs(name: string): boolean {
  return /^(ours|(the |\d )?relays?\b|product-service|notification-service|npm start|[\d,]+ (rows|changes))/.test(name)
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
