/** `SERVICE=roles` in the image: makes the databases and users of a deployment before its first migration. */
import { startOrExit } from '@product-events/process'
import { readRolesConfig } from '../config.ts'
import { createRoles, deploymentRoles } from './roles.ts'

await startOrExit(async () => {
  const { databaseUrl } = readRolesConfig(process.env)
  await createRoles(databaseUrl, deploymentRoles)
  process.stdout.write('Databases, users and rights are there.\n')
})
