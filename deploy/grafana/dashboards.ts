import { QueryVariableBuilder, VariableRefresh } from '@grafana/grafana-foundation-sdk/dashboard'
import { oneService } from './one-service.ts'
import { dashboard, type Row } from './panels.ts'
import { thePath } from './the-path.ts'

/** The dashboards by the name of their file, each as the JSON that Grafana reads. */
export function dashboards(): Record<string, string> {
  const path = dashboard(
    'the-path',
    'The path',
    'The seven steps of an event from top to bottom; from left to right: rate, delay, failures, backlog.',
    thePath,
  )
  const service = dashboard('one-service', 'One service', 'What one of the two processes does and needs.', oneService)
  service.withVariable(
    new QueryVariableBuilder('service')
      .label('Service')
      .datasource({ type: 'prometheus', uid: 'prometheus' })
      .query('label_values(up{job="services"}, service)')
      .current({ text: 'product-service', value: 'product-service' })
      .refresh(VariableRefresh.OnDashboardLoad),
  )
  return { 'the-path.json': json(path.build()), 'one-service.json': json(service.build()) }
}

/** Every row of both dashboards. */
export const rows: readonly Row[] = [...thePath, ...oneService]

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
