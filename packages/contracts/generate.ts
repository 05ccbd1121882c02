/** `npm run contracts`: writes the AsyncAPI document and the JSON Schemas. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { documents } from './documents.ts'

for (const [path, text] of documents()) {
  const file = join(import.meta.dirname, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  console.log(`packages/contracts/${path}`)
}
