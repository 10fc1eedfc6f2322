import { rm } from "node:fs/promises";
import { type AeTitle, parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { piecesSource } from "../../dicom/pieces-source.ts";
import { readPart10 } from "../../dicom/reader.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import type { ConnectionSource } from "../../network/dimse/connection.ts";
import { BEHIND_SOP_UIDS, outgoingFromFile, outgoingOf } from "../../network/dimse/outgoing-file.ts";
import type { IncomingInstance, OutgoingInstance } from "../../network/dimse/service-types.ts";
import { formatStatus, STATUS } from "../../network/dimse/status.ts";
import type { WholeInstance } from "../../staging/staging-area.ts";
import { type NodeRecord, SILENT_MS } from "../../store/nodes.ts";
import { abortAfter } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import { type KeptAssociations, keepAssociations } from "./kept-associations.ts";

/** Of one instance; its sender waits for the answer that long. */
const FORWARD_MS = 60_000;
/** Peer, sender and presentation context each: what one study brings is a few. */
const MAXIMUM_WAYS = 64;

export interface ForwardingOptions {
  /** This node's own. */
  readonly node: string;
  /** Where the study's instances belong; undefined: with nobody. */
  readonly nodeOfStudy: (studyInstanceUid: string) => Promise<NodeRecord | undefined>;
  /** What every node is connected to with. */
  readonly connection: ConnectionSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Passes on what a balancer gave to the wrong one of several nodes that have one AE title. */
export interface Forwarding extends AsyncDisposable {
  /**
   * True: the node it belongs to has it, as durable as if it had come there, and nothing of it is left here. False: it belongs to nobody else.
   * @throws GatewayError STUDY_ON_OTHER_NODE when that node does not take it
   */
  forward(whole: Pick<WholeInstance, "instance" | "pieces">, incoming: IncomingInstance): Promise<boolean>;
}

export function createForwarding({ node, nodeOfStudy, connection, clock, logger }: ForwardingOptions): Forwarding {
  const ways = new Map<string, KeptAssociations>();
  const wayTo = (address: string, callingAeTitle: AeTitle, instance: OutgoingInstance): KeptAssociations => {
    const { sopClassUid, transferSyntaxUid } = instance;
    const key = [address, callingAeTitle, sopClassUid, transferSyntaxUid].join(" ");
    const known = ways.get(key);
    const way =
      known ??
      keepAssociations(
        async (signal) =>
          await openAssociation({
            ...(await connection()),
            address: parseDicomAddress(address),
            callingAeTitle,
            contexts: [{ abstractSyntaxUid: sopClassUid, transferSyntaxUids: [transferSyntaxUid] }],
            signal,
          }),
        clock,
      );
    ways.delete(key);
    ways.set(key, way);
    const [oldest] = ways.keys();
    if (ways.size > MAXIMUM_WAYS && oldest !== undefined) {
      void ways.get(oldest)?.[Symbol.asyncDispose]();
      ways.delete(oldest);
    }
    return way;
  };
  return {
    async forward(whole, { callingAeTitle }) {
      const home = await nodeOfStudy(whole.instance.studyInstanceUid);
      if (home === undefined || home.name === node) return false;
      const isSilent = clock.nowMs() - home.seenAtMs > SILENT_MS;
      if (home.address === undefined || isSilent)
        throw new GatewayError("STUDY_ON_OTHER_NODE", { node: home.name, silent: isSilent });
      try {
        const outgoing = await outgoingOfWhole(whole);
        using limit = abortAfter(FORWARD_MS);
        // By the sender's name: the other node counts it as if it had come there.
        const { status } = await wayTo(home.address, parseAeTitle(callingAeTitle), outgoing).use(limit, (association) =>
          association.store(outgoing, limit),
        );
        if (status !== STATUS.success)
          throw new GatewayError("STUDY_ON_OTHER_NODE", { node: home.name, status: formatStatus(status) });
      } catch (thrown) {
        const { code, details } = toGatewayError(thrown);
        logger.warn("instance could not be passed on", { node: home.name, code });
        if (code === "STUDY_ON_OTHER_NODE") throw thrown;
        throw new GatewayError("STUDY_ON_OTHER_NODE", { ...details, node: home.name, cause: code }, thrown);
      }
      logger.debug("instance passed on", { node: home.name });
      if (whole.pieces === undefined) await rm(whole.instance.path, { force: true });
      return true;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...ways.values()].map((way) => way[Symbol.asyncDispose]()));
      ways.clear();
    },
  };
}

/** As it came, byte by byte. */
async function outgoingOfWhole({
  instance,
  pieces,
}: Pick<WholeInstance, "instance" | "pieces">): Promise<OutgoingInstance> {
  if (pieces === undefined) return await outgoingFromFile(instance.path);
  const head = await readPart10(piecesSource(pieces), { stopBefore: BEHIND_SOP_UIDS });
  return outgoingOf(head, () => piecesFrom(pieces, head.dataSetOffset));
}

async function* piecesFrom(pieces: readonly Uint8Array[], offset: number): AsyncGenerator<Uint8Array, undefined> {
  let skip = offset;
  for (const piece of pieces) {
    if (piece.length > skip) yield piece.subarray(skip);
    skip = Math.max(skip - piece.length, 0);
  }
}
