import { expect, test } from 'vitest'
import { grants } from '../../operations/migrate/grants.ts'
import { deploymentRoles } from './roles.ts'

test('the users of a deployment are those whom npm run migrate -- --apply-grants gives rights', () => {
  const made = Object.fromEntries(deploymentRoles.map(({ database, users }) => [database, users.toSorted()]))
  const granted = { products: grants['product-service'], notifications: grants['notification-service'] }
  expect(made).toEqual(
    Object.fromEntries(Object.entries(granted).map(([database, roles]) => [database, Object.keys(roles).toSorted()])),
  )
})
