/** The tables of this service, for `migrate` of the `database` package. */
export const productMigrations = { dir: `${import.meta.dirname}/migrations`, table: 'product_service_migrations' }
