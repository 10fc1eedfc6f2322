import type { Settings } from "../config/settings.ts";
import { parseDicomAddress } from "../dicom/ae-title.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { openAssociation } from "../network/dimse/association.ts";
import { VERIFICATION_SOP_CLASS } from "../network/dimse/service-classes.ts";
import type { OwnCheck } from "../operations/context.ts";
import { SILENT_MS } from "../store/nodes.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import { nodeConnection } from "./node-security.ts";

/** What `doctor` asks where several gateways have one AE title: whether each can be reached from here. */
export function nodeChecks(
  { node, store: { kind }, dicom }: Pick<Settings, "node" | "store" | "dicom">,
  store: Pick<Store, "listNodes">,
  clock: Clock,
): readonly OwnCheck[] {
  if (!node.sharedAeTitle) return [];
  const connection = nodeConnection({ node, dicom });
  const reach = async (address: string, signal: AbortSignal): Promise<void> => {
    const contexts = [{ abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] }];
    const to = { address: parseDicomAddress(address), callingAeTitle: dicom.aeTitle };
    await using association = await openAssociation({ ...(await connection()), ...to, contexts, signal });
    await association.echo(signal);
  };
  const examine = async (signal: AbortSignal): Promise<string> => {
    if (kind === "sqlite") throw new GatewayError("NODE_UNREACHABLE", { problem: "the store is this gateway's own" });
    const working = (await store.listNodes()).filter(({ seenAtMs }) => clock.nowMs() - seenAtMs < SILENT_MS);
    const receivers = working.filter(({ roles }) => roles.includes("receiver"));
    for (const { name, address } of receivers) {
      if (address === undefined) throw new GatewayError("NODE_UNREACHABLE", { node: name, problem: "no address" });
      await reach(address, signal).catch((thrown: unknown) => {
        throw new GatewayError("NODE_UNREACHABLE", { node: name, cause: toGatewayError(thrown).code }, thrown);
      });
    }
    return `yes, ${receivers.length} at work`;
  };
  return [{ what: "gateways with our AE title can be reached", examine }];
}
