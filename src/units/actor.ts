/** What a person or a program may do, the least first: each may also do what the ones before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who acts: a user of the machine through the command line, or the gateway itself as it works. */
export interface Actor {
  /** Of the operating system's user. */
  readonly name: string;
  readonly kind: "command line" | "service";
  /** The gateway itself has none: it is asked for nothing. */
  readonly role?: Role;
}

export function hasRole({ role }: Actor, least: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(least);
}
