/** What a person or a program may do, the least first: each may also do what the ones before it may. */
export const ROLES = ["sender", "viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who acts: a user of the machine through the command line, whoever has a token of the API, or the gateway itself as it works. */
export interface Actor {
  /** Of the operating system's user, or of the token. */
  readonly name: string;
  /** `browser`: in a session that was begun with the token. */
  readonly kind: "command line" | "service" | "token" | "browser";
  /** The gateway itself has none: it is asked for nothing. */
  readonly role?: Role;
  /** What is all that he may see; undefined: every project. */
  readonly projects?: readonly string[] | undefined;
}

export function maySeeProject({ projects }: Actor, project: string): boolean {
  return projects === undefined || projects.includes(project);
}

/** Studies may be sent by who is there for nothing else, and by those who work with them; who only looks brings nothing in. */
export function maySend(actor: Actor): boolean {
  return actor.role === "sender" || hasRole(actor, "operator");
}

export function hasRole({ role }: Actor, least: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(least);
}
