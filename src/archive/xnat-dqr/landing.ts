import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { listPacs, listReceivers, type XnatReceiver } from "../../network/rest/xnat/site.ts";

/** A DICOM receiver of the XNAT: imports name both, and XNAT compares both. */
export interface ReceiverAddress {
  readonly aeTitle: string;
  readonly port: number;
}

/** Where DQR asks, and where what it asks for arrives. */
export interface Landing {
  readonly pacsId: number;
  readonly receiver: ReceiverAddress;
}

export interface LandingOptions {
  /** Absent: the PACS that is the default for queries, else the first that can be queried. */
  readonly pacsId?: number | undefined;
  /** Absent: the first enabled receiver that routes for DQR. */
  readonly receiver?: ReceiverAddress | undefined;
}

/** How a receiver must name what it receives. */
const DQR_IDENTIFIER = "dqrObjectIdentifier";

/** @throws GatewayError XNAT_PACS_MISSING */
export async function pacsIdOf(client: HttpClient, { pacsId }: LandingOptions, signal: AbortSignal): Promise<number> {
  const queryable = (await listPacs(client, signal)).filter(({ queryable: isQueryable }) => isQueryable !== false);
  const usual = queryable.find(({ defaultQueryRetrievePacs }) => defaultQueryRetrievePacs === true) ?? queryable[0];
  const found = pacsId === undefined ? usual : queryable.find(({ id }) => id === pacsId);
  if (found === undefined) throw new GatewayError("XNAT_PACS_MISSING");
  return found.id;
}

/** @throws GatewayError XNAT_RECEIVER_MISSING, XNAT_RECEIVER_UNSUITABLE */
export async function receiverOf(
  client: HttpClient,
  { receiver }: LandingOptions,
  signal: AbortSignal,
): Promise<ReceiverAddress> {
  const enabled = (await listReceivers(client, signal)).filter((each) => each.enabled);
  const named = receiver === undefined ? enabled : enabled.filter((each) => isSame(each, receiver));
  if (named.length === 0) throw new GatewayError("XNAT_RECEIVER_MISSING");
  const found = named.find(isSuitable);
  if (found === undefined) throw new GatewayError("XNAT_RECEIVER_UNSUITABLE");
  return { aeTitle: found.aeTitle, port: found.port };
}

function isSame(one: ReceiverAddress, other: ReceiverAddress): boolean {
  return one.aeTitle.toLowerCase() === other.aeTitle.toLowerCase() && one.port === other.port;
}

function isSuitable({ identifier, customProcessing }: XnatReceiver): boolean {
  return identifier === DQR_IDENTIFIER && customProcessing === true;
}
