/** The entry point of the image: runs the program that SERVICE names in this process, so that it gets the SIGTERM. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startOrExit } from '@product-events/process'
import { readImageConfig } from '../config.ts'
import { isServer } from '../programs.ts'

await startOrExit(async () => {
  const { program } = readImageConfig(process.env)
  const path = join(import.meta.dirname, '..', '..', `${program}.js`)
  // A program takes its name and its arguments from here, as if Node had been started with it.
  process.argv[1] = path
  if (isServer(program)) await import(pathToFileURL(join(import.meta.dirname, '..', '..', 'tracing.js')).href)
  await import(pathToFileURL(path).href)
})
