/**
 * `node deploy/image/pin-digests.ts`: writes the digest of each image behind its tag, as the registry says it now.
 * Needs a network. A digest that no registry said is never written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { digestOf, imagesIn, pin } from './digests.ts'

const root = resolve(import.meta.dirname, '..', '..')
const files = ['deploy/Dockerfile', 'compose.yaml', 'deploy/aws/settings.example.json']

for (const file of files) {
  const path = join(root, file)
  let text = readFileSync(path, 'utf8')
  for (const image of imagesIn(text)) {
    const digest = await digestOf(image)
    text = pin(text, image, digest)
    console.log(`${image} is ${digest}`)
  }
  writeFileSync(path, text)
}
