import { spawnSync } from 'node:child_process'

/** Whether this machine has Prometheus' own checker; Debian's package `prometheus` brings it. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0

/** Runs `promtool` on `input`. What it complains of comes back as text; empty when it does not. */
export function promtool(args: string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return status === 0 ? '' : stdout + stderr
}
