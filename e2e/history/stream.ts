/**
 * Why a reader that resumed after every cut did not see exactly the list, in its order, each notification once;
 * undefined when it did.
 */
export function judgeStream(reader: string, seen: readonly string[], list: readonly string[]): string | undefined {
  const places = new Map(list.map((id, place) => [id, place]))
  const known = new Set<string>()
  let last = -1
  for (const id of seen) {
    const place = places.get(id)
    if (place === undefined) return `${reader} showed ${id}, which is not in the list`
    if (known.has(id)) return `${reader} showed ${id} twice`
    if (place < last) return `${reader} showed ${id} after ${list[last]}, which follows it in the list`
    known.add(id)
    last = place
  }
  const missing = list.filter((id) => !known.has(id))
  if (missing.length === 0) return undefined
  return `${reader} never showed ${missing.length} of ${list.length} notifications: ${missing.slice(0, 3).join(', ')}`
}
