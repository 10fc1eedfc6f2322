import { computed, signal } from "@preact/signals";
import type { WayIn } from "./problem.ts";

export const ROLES = ["sender", "viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Session {
  readonly name: string;
  readonly role: Role;
  /** Null: all of them. */
  readonly projects: readonly string[] | null;
  readonly expiresAt: string;
  /** Goes with every request that changes something. */
  readonly proof: string;
}

/** Unknown until the gateway was asked. */
export const session = signal<Session | "unknown" | "none">("unknown");
export const waysIn = signal<readonly WayIn[]>([]);

export const proof = computed(() => (typeof session.value === "object" ? session.value.proof : undefined));

/** The gateway ended a session under way: whoever had it is told why the log-in is there. */
export const wasTurnedOut = signal(false);

export function endSession(): void {
  session.value = "none";
}

/** Whether whoever is logged in has that role, or one above it. */
export function mayDo(least: Role): boolean {
  return typeof session.value === "object" && ROLES.indexOf(session.value.role) >= ROLES.indexOf(least);
}
