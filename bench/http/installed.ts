import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Where Debian keeps the programs of postgresql-client that are not on the PATH, newest first. */
const POSTGRESQL_BINARIES = [18, 17, 16, 15, 14].map((version) => `/usr/lib/postgresql/${version}/bin`)

/** The path of a program, or undefined when the machine does not have it. */
export async function installed(program: string): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...POSTGRESQL_BINARIES]) {
    const path = join(folder, program)
    const found = await access(path).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return undefined
}
