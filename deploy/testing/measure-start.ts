/**
 * `node deploy/testing/measure-start.ts [processors] [rounds] [folder...]`: how long each server of an image takes
 * until it is ready on a part of a processor, how much processor time that costs, and its memory when idle. A folder is
 * what `node deploy/build.ts <folder>` and `node deploy/image/warm.ts <folder>` made; several take turns, so that their
 * ratios hold on a busy machine. PostgreSQL and SQS are outside the quota, and migrated before: a task that is replaced
 * finds them so.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Server, servers } from '../programs.ts'
import { type Ground, openGround, startTask } from './task.ts'

/** Past the first collections of garbage, and the first samples of the gauges. */
const IDLE_MS = 5_000

interface Start {
  readyMs: number
  usedMs: number
  idleMb: number
}

const [processors = '0.25', rounds = '3', ...named] = process.argv.slice(2)
const folders = named.length > 0 ? named : ['dist']

await using ground = await openGround(Number(processors))
for (const server of Object.keys(servers) as Server[]) {
  // The first start of all migrates, and is not counted.
  await measure(ground, server, folders[0] as string)
  const starts = folders.map((): Start[] => [])
  for (let round = 0; round < Number(rounds); round++)
    for (const [index, folder] of folders.entries()) starts[index]?.push(await measure(ground, server, folder))
  for (const [index, folder] of folders.entries()) console.log(`${server} (${folder}): ${inWords(starts[index] ?? [])}`)
}

function inWords(starts: Start[]): string {
  const all = (of: (start: Start) => number) => starts.map((start) => of(start).toFixed(0)).join('/')
  const ready = `ready after ${all(({ readyMs }) => readyMs)} ms`
  return `${ready}, ${all(({ usedMs }) => usedMs)} ms of processor, idle ${all(({ idleMb }) => idleMb)} MB`
}

async function measure(ground: Ground, server: Server, folder: string): Promise<Start> {
  const before = ground.quota.usedSeconds()
  const task = await startTask(ground, server, folder)
  const usedMs = (ground.quota.usedSeconds() - before) * 1_000
  await sleep(IDLE_MS)
  const idleMb = await task.memoryMb()
  await task.stop()
  return { readyMs: task.readyMs, usedMs, idleMb }
}
