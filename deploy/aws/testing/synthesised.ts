import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { App } from 'aws-cdk-lib'
import { createProductEvents } from '../product-events.ts'
import { readSettings, type Settings } from '../settings.ts'

export interface Resource {
  Type: string
  Properties: Record<string, unknown>
  DependsOn?: string | string[]
  DeletionPolicy?: string
  UpdateReplacePolicy?: string
}

export interface Template {
  Resources: Record<string, Resource>
  Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }>
}

export const stackNames = ['Network', 'Data', 'Services', 'Monitoring'] as const
export type StackName = (typeof stackNames)[number]
export type Templates = Record<StackName, Template>

export const example = readSettings(join(import.meta.dirname, '..', 'settings.example.json'))

/** The variants whose templates are kept in `snapshots/`. */
export const variants: Record<string, Settings> = {
  production: example,
  trial: { ...example, size: 'trial', relay: false },
  closed: { ...example, database: 'aurora', egress: 'endpoints', queueName: 'product-notifications.fifo' },
}

/** The templates of the four stacks. `damage` may break the tree before it is synthesised. */
export function synthesise(settings: Settings, damage: (app: App) => void = () => {}): Templates {
  const outdir = mkdtempSync(join(tmpdir(), 'product-events-'))
  try {
    return synthesiseInto(outdir, settings, damage)
  } finally {
    rmSync(outdir, { recursive: true })
  }
}

function synthesiseInto(outdir: string, settings: Settings, damage: (app: App) => void): Templates {
  const app = createProductEvents(settings, outdir)
  damage(app)
  const assembly = app.synth()
  return Object.fromEntries(
    stackNames.map((name) => [name, assembly.getStackByName(stackNameOf(name)).template]),
  ) as Templates
}

function stackNameOf(name: StackName): string {
  return `product-events-${name.toLowerCase()}`
}

export function resources(templates: Templates): (Resource & { id: string; stack: StackName })[] {
  return stackNames.flatMap((stack) =>
    Object.entries(templates[stack].Resources).map(([id, resource]) => ({ ...resource, id, stack })),
  )
}
