import { type App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import { describe, expect, test } from 'vitest'
import { createProductEvents } from './product-events.ts'
import { variants } from './testing/synthesised.ts'

interface Acknowledged {
  path: string
  rule: string
  reason: string
}

function acknowledgements(app: App): Acknowledged[] {
  return app.node.findAll().flatMap((construct) =>
    construct.node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) =>
        Object.entries(data as Record<string, string>).map(([id, reason]) => ({
          path: construct.node.path,
          rule: id.replace(/^annotation::/i, ''),
          reason,
        })),
      )
      // The CDK itself acknowledges what it knows of its own templates.
      .filter(({ rule }) => rule.startsWith('AwsSolutions')),
  )
}

/** Every finding of cdk-nag, as if nothing had been acknowledged. */
function findings(app: App): { path: string; rule: string }[] {
  for (const construct of app.node.findAll()) forget(construct)
  const { violations } = new AwsSolutionsChecks(app).validateScope(app)
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => ({ path: constructPath ?? '', rule: ruleName })),
  )
}

function forget({ node }: IConstruct): void {
  Reflect.set(
    node,
    '_metadata',
    node.metadata.filter(({ type }) => type !== Validations.ACKNOWLEDGED_RULES_METADATA_KEY),
  )
}

describe.each(Object.entries(variants))('%s', (_name, settings) => {
  const app = createProductEvents(settings)
  const acknowledged = acknowledgements(app)
  const found = findings(app)

  test('every finding of cdk-nag is acknowledged where it is, with a reason', () => {
    const open = found.filter(
      ({ path, rule }) => !acknowledged.some((one) => one.rule === rule && `${path}/`.startsWith(`${one.path}/`)),
    )
    expect(found.length).toBeGreaterThan(5)
    expect(open).toEqual([])
    for (const { rule, reason } of acknowledged) expect(reason.split(' ').length, rule).toBeGreaterThan(7)
  })

  test('every acknowledgement has a finding', () => {
    const needless = acknowledged.filter(
      (one) => !found.some(({ path, rule }) => one.rule === rule && `${path}/`.startsWith(`${one.path}/`)),
    )
    expect(needless).toEqual([])
  })
})
