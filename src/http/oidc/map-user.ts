import { createHash } from "node:crypto";
import { ROLES, type Role } from "../../units/actor.ts";
import type { Claims, LoggedIn } from "./issuer.ts";

export interface UserMapping {
  readonly nameClaim: string;
  readonly claim: string;
  readonly roles: readonly RoleLine[];
  /** Of whom no line fits; undefined: he is turned away. */
  readonly leastRole: Role | undefined;
}

interface RoleLine {
  readonly value: string;
  readonly role: Role;
  readonly projects?: readonly string[] | undefined;
}

export interface MappedUser {
  /** As the audit trail has it; no token can be called so. */
  readonly name: string;
  /** Undefined: none, he is turned away. */
  readonly role: Role | undefined;
  readonly projects: readonly string[] | undefined;
}

/** Whom one can tell apart in a line of a log. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,99}$/u;
const DIGEST_LENGTH = 32;

/** The highest role of the lines that fit holds, in the projects of the lines that give it: what gives less adds nothing to it. */
export function mapUser({ claims, subject }: LoggedIn, mapping: UserMapping): MappedUser {
  const { claim, nameClaim, roles, leastRole } = mapping;
  const name = nameOf(claimAt(claims, nameClaim), subject);
  const values = textsOf(claimAt(claims, claim));
  const fitting = roles.filter(({ value }) => values.has(value));
  const role = ROLES.findLast((each) => fitting.some((line) => line.role === each));
  if (role === undefined) return { name, role: leastRole, projects: undefined };
  const lines = fitting.filter((line) => line.role === role);
  const isEverywhere = lines.some(({ projects }) => projects === undefined);
  const projects = isEverywhere ? undefined : [...new Set(lines.flatMap((line) => line.projects ?? []))];
  return { name, role, projects };
}

function nameOf(named: unknown, subject: string): string {
  const name = [named, subject].find((text): text is string => typeof text === "string" && NAME.test(text));
  return `oidc:${name ?? createHash("sha256").update(subject).digest("hex").slice(0, DIGEST_LENGTH)}`;
}

/** The member of that name, else the members' members: issuers use URLs with dots as names too. */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split(".").reduce<unknown>((value, name) => {
    return typeof value === "object" && value !== null && Object.hasOwn(value, name)
      ? Reflect.get(value, name)
      : undefined;
  }, claims);
}

/** One text, or several. */
function textsOf(value: unknown): ReadonlySet<unknown> {
  return new Set(Array.isArray(value) ? value : typeof value === "string" ? [value] : []);
}
