/** The tables of this service, for `migrate`. */
export const notificationMigrations = {
  dir: `${import.meta.dirname}/migrations`,
  table: 'notification_service_migrations',
}
