import { GatewayError } from "../../errors/gateway-error.ts";
import { optional, text } from "./columns.ts";
import type { Session } from "./session.ts";

/** Under which the key of the withdrawn list stands among those of the projects: no project can be named so. */
const LIST = "(withdrawn)";

/** See `WithdrawalStore.withdrawnDigests`. */
export async function withdrawnDigests(session: Session, project: string) {
  const keyId = optional(text)((await session.get("currentProjectKey", { project: LIST }))?.keyId);
  return { keyId, digests: (await session.all("withdrawnDigests", { project })).map(({ digest }) => text(digest)) };
}

/** Looks that the list is kept under this key, where anybody was withdrawn. @throws GatewayError WITHDRAWN_KEY_OTHER */
export async function listKey(session: Session, keyId: string): Promise<string | undefined> {
  const known = optional(text)((await session.get("currentProjectKey", { project: LIST }))?.keyId);
  if (known !== undefined && known !== keyId) throw new GatewayError("WITHDRAWN_KEY_OTHER", { keyId, wanted: known });
  return known;
}

/** From the first patient on, the list is kept under this key. @throws GatewayError WITHDRAWN_KEY_OTHER */
export async function keepListKey(session: Session, keyId: string, nowMs: number): Promise<void> {
  if ((await listKey(session, keyId)) === undefined)
    await session.run("insertProjectKey", { project: LIST, keyId, nowMs, forced: false });
}
