/** The audit table of the console, in the schema `console` of the database `products`. */
export const consoleMigrations = { dir: `${import.meta.dirname}/migrations`, table: 'console_migrations' }
