export { connect, type ConnectOptions, describeDatabase, disconnect, withDatabaseName } from './connect.ts'
export { migrate, type Migrations } from './migrate.ts'
export { transaction } from './transaction.ts'
