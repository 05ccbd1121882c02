/** `22:43:22`, in UTC, as in the logs. */
export function clock(at: Date | number): string {
  return new Date(at).toISOString().slice(11, 19)
}
