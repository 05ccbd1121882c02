import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface Alert {
  name: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; runbook_url: string }
}

interface Rule extends Omit<Alert, 'name'> {
  alert?: string
  record?: string
}

const dir = join(import.meta.dirname, '../prometheus/rules')
export const ruleFiles = readdirSync(dir).map((file) => join(dir, file))

const rules = ruleFiles.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules),
)
/** Every alert of the committed rules. */
export const alerts: Alert[] = rules.flatMap(({ alert, ...rule }) =>
  alert === undefined ? [] : [{ name: alert, ...rule }],
)
/** The expression of every rule, alerts and recordings. */
export const expressions = rules.map(({ expr }) => expr)
/** The names of what the rules record. */
export const recorded = rules.flatMap(({ record }) => record ?? [])
