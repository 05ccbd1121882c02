/** The outbox's tables, for `migrate` of the `database` package or any runner of plain SQL files (up only). */
export const outboxMigrations = { dir: `${import.meta.dirname}/migrations`, table: 'outbox_migrations' }
