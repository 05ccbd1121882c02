/** The name as SQL takes it. Throws a `TypeError` for a name that PostgreSQL would cut off or refuse. */
export function quotedName(name: string): string {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > 63)
    throw new TypeError(`a name in PostgreSQL has 1 to 63 bytes, none of them 0: ${JSON.stringify(name)}`)
  return `"${name.replaceAll('"', '""')}"`
}

/** The text as a literal of SQL. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Unlike CREATE SCHEMA IF NOT EXISTS it requires no right on the database if the schema exists. */
export function createSchema(schema: string): string {
  const name = quotedName(schema)
  return `DO $do$ BEGIN
  IF to_regnamespace(${quotedText(name)}) IS NULL THEN CREATE SCHEMA ${name}; END IF;
END $do$;
`
}
