import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { ScanDevice, ScannerStore, ScanToken } from "../../store/acquisitions.ts";
import { hasRole, ROLES, type Role } from "../../units/actor.ts";
import type { Clock } from "../../units/clock.ts";
import type { Random } from "../../units/random.ts";

/** As long as ScanHub's own. */
const USER_TOKEN_BYTES = 256;
const DEVICE_TOKEN_BYTES = 1_024;
const ATTEMPT_TOKEN_BYTES = 32;

/** Of a token that is nothing but randomness a plain hash tells nothing: no dictionary holds it. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

/** Takes as long whatever is given. */
export function isTokenOf(hash: string, token: string): boolean {
  return timingSafeEqual(Buffer.from(hash, "hex"), Buffer.from(tokenHash(token), "hex"));
}

function newToken(random: Random, bytes: number): string {
  return Buffer.from(random.bytes(bytes)).toString("hex");
}

export function newAttemptToken(random: Random): string {
  return newToken(random, ATTEMPT_TOKEN_BYTES);
}

export interface TokenWorld {
  readonly store: ScannerStore;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}

/** A device with its token, which is told this once. */
export async function registerDevice(
  { store, clock, random }: TokenWorld,
  { name, description }: { readonly name: string; readonly description: string },
): Promise<{ readonly device: ScanDevice; readonly token: string }> {
  const token = newToken(random, DEVICE_TOKEN_BYTES);
  const facts = { id: randomUUID(), name, description, status: "OFFLINE", tokenHash: tokenHash(token) } as const;
  return { device: await store.addScanDevice(facts, clock.nowMs()), token };
}

/** A user's token, which is told this once. */
export async function createUserToken(
  { store, clock, random }: TokenWorld,
  { user, role }: { readonly user: string; readonly role: Role },
): Promise<{ readonly id: string; readonly token: string }> {
  const token = newToken(random, USER_TOKEN_BYTES);
  const id = `token-${randomUUID()}`;
  await store.addScanToken({ id, user, role, tokenHash: tokenHash(token) }, clock.nowMs());
  return { id, token };
}

/** The device of these credentials. */
export async function deviceOfCredentials(
  store: Pick<ScannerStore, "scanDevice">,
  id: string,
  token: string,
): Promise<ScanDevice | undefined> {
  const device = await store.scanDevice(id);
  if (device === undefined || device.revokedAtMs !== undefined) return undefined;
  return isTokenOf(device.tokenHash, token) ? device : undefined;
}

/** Of `Authorization: Bearer …`; the scheme in letters of either case. Undefined: none is given. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(header?.trim() ?? "")?.[1];
}

export function userOfToken(store: Pick<ScannerStore, "scanTokenOf">, token: string): Promise<ScanToken | undefined> {
  return store.scanTokenOf(tokenHash(token));
}

/** Whether what its token was made for is enough. */
export function mayUser(user: Pick<ScanToken, "role" | "user">, least: Role): boolean {
  const role = ROLES.find((each) => each === user.role);
  return role !== undefined && hasRole({ name: user.user, kind: "token", role }, least);
}
