import { userInfo } from "node:os";

/** The operating system's user; in a container without an entry for it, its number. */
export function systemUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user-${process.getuid?.() ?? "unknown"}`;
  }
}
