/** One thing to try: where it stands in the table, and what it resolves with. */
export interface Cell {
  row: string
  column: string
  run: () => Promise<string>
}

/** Most wait for a process, and there are two cores. */
const AT_ONCE = 3

/** Runs all, prints what failed and the table, and resolves with the number of failures. */
export async function printTable(title: string, cells: readonly Cell[]): Promise<number> {
  const results = new Map<Cell, string>()
  const left = [...cells]
  let failed = 0
  const worker = async () => {
    for (let cell = left.shift(); cell !== undefined; cell = left.shift()) {
      const { row, column, run } = cell
      const result = await run().catch((error: unknown) => {
        failed += 1
        const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string }
        console.error(`${row}, ${column}: ${message}\n${stdout}${stderr}`)
        return 'FAILED'
      })
      results.set(cell, result)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const columns = [...new Set(cells.map(({ column }) => column))]
  const rows = [...new Set(cells.map(({ row }) => row))]
  const find = (row: string, column: string) => cells.find((cell) => cell.row === row && cell.column === column)
  const lines = rows.map((row) => [row, ...columns.map((column) => results.get(find(row, column)!) ?? '')])
  console.log(
    `\n${[[title, ...columns], ...lines].map((line) => line.map((text) => text.padEnd(18)).join('')).join('\n')}\n`,
  )
  return failed
}
