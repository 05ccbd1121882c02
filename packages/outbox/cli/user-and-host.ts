import { hostname, userInfo } from 'node:os'

/** Who runs the command. The user may be a number that has no name, as in many containers. */
export function userAndHost(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}@${hostname()}`
  }
}
