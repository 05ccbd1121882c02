/** `npm run dashboards`: writes the dashboards that compose.yaml gives to Grafana. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dashboards } from './dashboards.ts'

for (const [file, json] of Object.entries(dashboards())) {
  await writeFile(join(import.meta.dirname, 'dashboards', file), json)
  console.log(`deploy/grafana/dashboards/${file}`)
}
