import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxes } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { isFieldUid } from "../../dicom/uid.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { type Random, systemRandom } from "../../units/random.ts";
import type { HttpClient, HttpTimeouts } from "../http-client/types.ts";
import type { InstanceStore } from "../instance-files/incoming.ts";
import { type AnswerLimits, type Received, readAnswer, USUAL_ANSWER_LIMITS } from "./answer.ts";
import { asDicomTrolleyError, DicomTrolleyError } from "./errors.ts";
import { MEDIA } from "./names.ts";
import { createRequest, type InstanceReference } from "./request.ts";
import type { SoapAnswer } from "./soap-reader.ts";

export interface Rad69ClientOptions {
  /** Its base URL is the endpoint of the imaging document source. */
  readonly http: HttpClient;
  /** The endpoint, as the request names it. */
  readonly url: string;
  /** OID of the source. @default 1.3.6.1.4.1000 */
  readonly repositoryUniqueId?: string | undefined;
  /** Only where a gateway between communities asks for it: `urn:oid:…`. */
  readonly homeCommunityId?: string | undefined;
  /** What may come; instances in others are refused. @default every one that the standard knows */
  readonly transferSyntaxUids?: readonly string[] | undefined;
  /** @default mtom */
  readonly encoding?: "mtom" | "plain" | undefined;
  readonly timeouts?: Partial<Omit<HttpTimeouts, "connectMs">> | undefined;
  readonly limits?: Partial<AnswerLimits> | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** What sources that do not look at it have always been told. */
export const USUAL_REPOSITORY = "1.3.6.1.4.1000";

/** JPIP replaces pixel data by an address: no instance would be whole. */
const JPIP = "1.2.840.10008.1.2.4.94";

/** Uncompressed first. */
export const USUAL_TRANSFER_SYNTAXES: readonly string[] = [
  EXPLICIT_VR_LITTLE_ENDIAN,
  ...[...transferSyntaxes.keys()].filter((uid) => uid !== EXPLICIT_VR_LITTLE_ENDIAN && uid !== JPIP),
];

export interface Rad69Client {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * One request. Nothing is sent before the first instance is asked for; instances come as soon as each is whole. What the source reports
   * is returned at the end and left to the caller.
   * @throws DicomTrolleyError; the reason of the signal
   */
  request<T>(
    instances: readonly InstanceReference[],
    store: InstanceStore<T>,
    signal?: AbortSignal,
  ): AsyncGenerator<Received<T>, SoapAnswer>;
}

/** A client of one imaging document source. RAD TF-2 4.69. */
export function createRad69Client(options: Rad69ClientOptions): Rad69Client {
  const { clock = systemClock, random = systemRandom } = options;
  return {
    clock,
    random,
    request: (instances, store, signal) => exchanged(options, { instances, store, signal, clock, random }),
  };
}

/** Ends a request that nobody reads any more: its connection and what is half received. One that is over stays so. */
export async function leave(coming: AsyncGenerator<unknown, unknown>): Promise<void> {
  await coming.throw(new Error("left")).catch(() => undefined);
}

interface Exchange<T> {
  readonly instances: readonly InstanceReference[];
  readonly store: InstanceStore<T>;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

async function* exchanged<T>(
  options: Rad69ClientOptions,
  { instances, store, signal, clock, random }: Exchange<T>,
): AsyncGenerator<Received<T>, SoapAnswer> {
  const { http, url, homeCommunityId, timeouts, encoding = "mtom", transferSyntaxUids } = options;
  const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
  try {
    // File names come from them.
    if (!uids.every(isFieldUid)) throw new DicomTrolleyError("RAD69_REQUEST_REFUSED", { what: "UID" });
    const request = createRequest(
      instances,
      {
        to: url,
        encoding,
        homeCommunityId,
        repositoryUniqueId: options.repositoryUniqueId ?? USUAL_REPOSITORY,
        transferSyntaxUids: transferSyntaxUids ?? USUAL_TRANSFER_SYNTAXES,
      },
      random,
    );
    await using response = await http.request({
      method: "POST",
      bulk: true,
      headers: { "content-type": request.contentType, accept: `${MEDIA.multipart}, ${MEDIA.soap12}` },
      body: request.body,
      accepts: isAnswer,
      timeouts,
      signal,
    });
    const asked = {
      messageId: request.messageId,
      instances: new Map(instances.map((instance) => [instance.sopInstanceUid, instance])),
      transferSyntaxUids: transferSyntaxUids && new Set(transferSyntaxUids),
      store,
      limits: { ...USUAL_ANSWER_LIMITS, ...options.limits },
      signal,
    };
    return yield* readAnswer(response, asked, clock.nowMs());
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw asDicomTrolleyError(thrown, uids);
  }
}

/** SOAP faults come with 400 or 500. SOAP 1.2 part 2, table 20. */
function isAnswer(status: number): boolean {
  return (status >= 200 && status < 300) || status === 400 || status === 500;
}
