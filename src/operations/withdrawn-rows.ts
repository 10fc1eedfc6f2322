import { trimIdentifier } from "../cohort/identifiers.ts";
import { openWithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { OperationsContext } from "./context.ts";

/**
 * Tells of many patients at once whether they were withdrawn from the project; blanks around either are not theirs.
 * @throws GatewayError KEY_FILE_…, WITHDRAWN_KEY_OTHER, where anybody was: without its key nobody would be known
 */
export async function withdrawnRows(
  {
    store,
    withdrawn,
  }: {
    readonly store: Pick<OperationsContext["store"], "withdrawnDigests">;
    readonly withdrawn: Pick<OperationsContext["withdrawn"], "keyFile">;
  },
  projectName: string,
): Promise<(patientId: string) => boolean> {
  const project = projectName.trim();
  const { keyId, digests } = await store.withdrawnDigests(project);
  if (digests.length === 0) return () => false;
  // Who only looks makes no key.
  const key = await openWithdrawnKey(withdrawn.keyFile, { isRehearsal: true });
  if (key.id !== keyId) throw new GatewayError("WITHDRAWN_KEY_OTHER", { keyId: key.id, wanted: keyId ?? "" });
  const known = new Set(digests);
  return (patientId) => known.has(key.digest(project, trimIdentifier(patientId)));
}
