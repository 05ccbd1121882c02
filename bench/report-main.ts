/** `npm run bench:report [-- file]`: puts the newest result, or the one that is named, into the documents. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { fillIn, makeReport } from './report.ts'
import { newest, readResult, RESULTS } from './results.ts'
import { measuredIn, scalingBlocks } from './scaling.ts'

const here = import.meta.dirname
const named = process.argv[2]
const latest = await newest()
if (named === undefined && latest === undefined) {
  console.error('there is no result in bench/results yet: npm run bench makes one')
  process.exit(2)
}
const file = named === undefined ? resolve(RESULTS, latest ?? '') : resolve(named)
const result = await readResult(file).catch((error: Error) => {
  console.error(error.message)
  process.exit(2)
})

const { blocks, charts } = makeReport(result, relative(here, file))
await rewrite(`${here}/README.md`, blocks)
await rm(`${here}/charts`, { recursive: true, force: true })
await mkdir(`${here}/charts`)
for (const [name, svg] of charts) await writeFile(`${here}/charts/${name}`, svg)

const measured = measuredIn(result)
const scaling = resolve(here, '../docs/scaling.md')
if (measured) await rewrite(scaling, scalingBlocks(measured, relative(resolve(here, '../docs'), file)))
console.log(`bench/README.md and ${charts.size} charts are of ${relative(process.cwd(), file)}`)
if (!measured) console.log('docs/scaling.md is as it was: it needs create, publish and consume, of one run')

async function rewrite(path: string, blocks: Map<string, string>): Promise<void> {
  await writeFile(path, fillIn(await readFile(path, 'utf8'), blocks))
}
