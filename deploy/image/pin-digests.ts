/**
 * `node deploy/image/pin-digests.ts [folder]`: writes the digest of each image behind its tag, as the registry says it
 * now, in the files of this checkout or of `folder`. Needs a network. Without an answer for every image it ends with 1
 * and changes no file: a digest that no registry said is never written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { digestOf, imagesIn, pin } from './digests.ts'

const folder = process.argv[2] ?? resolve(import.meta.dirname, '..', '..')
const paths = ['deploy/Dockerfile', 'compose.yaml', 'deploy/aws/settings.example.json'].map((file) =>
  join(folder, file),
)

async function pinAll(text: string): Promise<string> {
  let pinned = text
  for (const image of imagesIn(text)) {
    const digest = await digestOf(image)
    pinned = pin(pinned, image, digest)
    console.log(`${image} is ${digest}`)
  }
  return pinned
}

try {
  const files = await Promise.all(paths.map(async (path) => ({ path, text: await pinAll(readFileSync(path, 'utf8')) })))
  for (const { path, text } of files) writeFileSync(path, text)
} catch (error) {
  console.error(`no digest was written: ${(error as Error).message}`)
  process.exitCode = 1
}
