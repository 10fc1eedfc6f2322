import type { Part10File } from "../../dicom/data-set.ts";
import { bytesSource, readPart10 } from "../../dicom/reader.ts";
import type { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { Authentication } from "../../network/http-client/authentication.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { parseMediaType } from "../../network/http-client/media-type.ts";
import { contentUnexpected, readBytes } from "../../network/http-client/read-body.ts";
import type { HttpClient, HttpClientOptions, HttpResponse } from "../../network/http-client/types.ts";
import { type Received, readAnswer, USUAL_ANSWER_LIMITS } from "../../network/ihe/answer.ts";
import { batchesOf, distinct, splitInto } from "../../network/ihe/batches.ts";
import {
  createRad69Client,
  leave,
  type Rad69Client,
  type Rad69ClientOptions,
  USUAL_REPOSITORY,
  USUAL_TRANSFER_SYNTAXES,
} from "../../network/ihe/client.ts";
import { asDicomTrolleyError, DicomTrolleyError, Rad69ServerError, registryFailure } from "../../network/ihe/errors.ts";
import { faultError, judge } from "../../network/ihe/judge.ts";
import { createRequest, type InstanceReference } from "../../network/ihe/request.ts";
import { createSoapReader, type SoapAnswer } from "../../network/ihe/soap-reader.ts";
import { memoryStore } from "../../network/instance-files/incoming.ts";
import type { InstanceFacts } from "../../network/instance-files/inspect.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import { merged } from "./merge.ts";
import { type Downloadable, instanceReferences } from "./references.ts";

/** A class of errors, or a code of theirs. */
export type IgnoredError = ErrorCode | (abstract new (...parts: never[]) => DicomTrolleyError);

export interface Rad69Options extends Omit<Rad69ClientOptions, "http"> {
  /** How to log in, or a client that is logged in. */
  readonly session?: Authentication | HttpClient | undefined;
  /** One request for each series; else one for all. @default true */
  readonly requestPerSeries?: boolean | undefined;
  /** What is passed over with a warning in the log, instance by instance. */
  readonly errorsToIgnore?: readonly IgnoredError[] | undefined;
  /** Several requests at once. @default false */
  readonly useAsync?: boolean | undefined;
  /** With `useAsync`. @default 4 */
  readonly maxWorkers?: number | undefined;
  readonly tls?: HttpClientOptions["tls"];
  /** Given every instance as it was received, before its data set is. */
  readonly sink?: ((facts: InstanceFacts, bytes: Buffer) => void | Promise<void>) | undefined;
  /** Longer instances are refused: they are held in memory. @default 4 GiB */
  readonly maximumInstanceBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
}

const USUAL_WORKERS = 4;
const USUAL_INSTANCE_BYTES = 4 * 1024 * 1024 * 1024;
const MULTIPART = /^multipart\//;

type Answer = Pick<HttpResponse, "status" | "headers" | "body">;

/**
 * Retrieves data sets by RAD-69, under the names of dicomtrolley's `Rad69`. Everything is lazy: nothing is asked for before the first data
 * set is, and no more than is being read. Every failure is a `DicomTrolleyError`.
 */
export class Rad69 implements AsyncDisposable {
  readonly #options: Rad69Options;
  readonly #client: Rad69Client;
  readonly #http: HttpClient;
  readonly #ownsHttp: boolean;

  /** @throws GatewayError SETTING_INVALID when the URL is none */
  constructor(options: Rad69Options) {
    const { session, url, tls, maxWorkers = USUAL_WORKERS, timeouts } = options;
    this.#options = options;
    this.#ownsHttp = session === undefined || !("request" in session);
    this.#http =
      session !== undefined && "request" in session
        ? session
        : openHttpClient({ baseUrl: url, authentication: session, tls, connections: maxWorkers, timeouts });
    this.#client = createRad69Client({ ...options, http: this.#http });
  }

  /** Ends what is under way; a client that was given stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ownsHttp) await this.#http[Symbol.asyncDispose]();
  }

  /** All instances of the objects. @throws NonInstanceParameterError, Rad69ServerError, DicomTrolleyError from the iterator */
  async *datasets(objects: Downloadable | Iterable<Downloadable>): AsyncGenerator<Part10File, void> {
    yield* this.#options.useAsync === true ? this.datasetsAsync(objects) : this.datasetsSingleThread(objects);
  }

  /** One request after the other. @throws as `datasets` */
  async *datasetsSingleThread(objects: Downloadable | Iterable<Downloadable>): AsyncGenerator<Part10File, void> {
    const grouping = this.#options.requestPerSeries === false ? "single" : "series";
    const batches = batchesOf(distinct(instanceReferences(objects)), { grouping });
    for (const [index, batch] of batches.entries()) yield* this.seriesDownloadIterator(batch, index);
  }

  /** Several requests at once, each streamed; data sets in the order in which they come. @throws as `datasets` */
  async *datasetsAsync(
    objects: Downloadable | Iterable<Downloadable>,
    maxWorkers: number = this.#options.maxWorkers ?? USUAL_WORKERS,
  ): AsyncGenerator<Part10File, void> {
    const piles = Rad69.splitInstances(distinct(instanceReferences(objects)), maxWorkers);
    yield* merged(piles.map((pile) => this.downloadIterator(pile)));
  }

  /** As `downloadIterator`, with a line in the log. */
  seriesDownloadIterator(instances: readonly InstanceReference[], index = 0): AsyncGenerator<Part10File, void> {
    this.#options.logger?.debug("rad69 series", { index, instances: instances.length });
    return this.downloadIterator(instances);
  }

  /** One request for these. @throws as `datasets` */
  async *downloadIterator(instances: readonly InstanceReference[]): AsyncGenerator<Part10File, void> {
    const { signal, sink } = this.#options;
    if (instances.length === 0) return;
    const missing = new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
    const refused = new Map<string, GatewayError>();
    try {
      const coming = this.#client.request(instances, this.#memory(), signal);
      const answer = yield* this.#opened(coming, missing, refused, sink);
      const { failures } = judge(answer, [...missing], refused);
      this.#settle([...failures.values()]);
    } catch (thrown) {
      signal?.throwIfAborted();
      this.handleResponseError(asDicomTrolleyError(thrown, [...missing]));
    }
  }

  /** @throws DicomTrolleyError when it does not come */
  async getDataset(instance: InstanceReference): Promise<Part10File> {
    for await (const dataset of this.downloadIterator([instance])) return dataset;
    throw new DicomTrolleyError("RAD69_DOCUMENT_NOT_SENT", {}, [instance.sopInstanceUid]);
  }

  /** The SOAP envelope that asks for one instance. */
  createInstanceRequest(instance: InstanceReference): string {
    return this.createInstancesRequest([instance]);
  }

  /** The SOAP envelope that asks for these. */
  createInstancesRequest(instances: readonly InstanceReference[]): string {
    const { url, homeCommunityId, repositoryUniqueId, transferSyntaxUids } = this.#options;
    const options = {
      to: url,
      encoding: "plain",
      homeCommunityId,
      repositoryUniqueId: repositoryUniqueId ?? USUAL_REPOSITORY,
      transferSyntaxUids: transferSyntaxUids ?? USUAL_TRANSFER_SYNTAXES,
    } as const;
    return createRequest(instances, options, this.#client.random).body;
  }

  /** @throws DicomTrolleyError unless this is a multipart answer */
  static async checkForResponseErrors(response: Answer): Promise<void> {
    const type = parseMediaType(response.headers.get("content-type"))?.type ?? "";
    if (response.status === 200 && MULTIPART.test(type)) return;
    if (response.status === 200 && type === "") throw asDicomTrolleyError(contentUnexpected(response));
    await Rad69.parseRad69SoapErrorResponse(response);
  }

  /** As `checkForResponseErrors`, with what is to be ignored passed over. */
  async verifyResponse(response: Answer): Promise<void> {
    try {
      await Rad69.checkForResponseErrors(response);
    } catch (thrown) {
      this.handleResponseError(asDicomTrolleyError(thrown));
    }
  }

  /** The data sets of an answer, whatever it was that was asked for. @throws as `datasets` */
  async *parseRad69Response(response: HttpResponse): AsyncGenerator<Part10File, void> {
    const { limits, signal, sink } = this.#options;
    const asked = {
      messageId: undefined,
      instances: undefined,
      transferSyntaxUids: undefined,
      store: this.#memory(),
      limits: { ...USUAL_ANSWER_LIMITS, ...limits },
      signal,
    };
    const refused = new Map<string, GatewayError>();
    try {
      const coming = readAnswer(response, asked, this.#client.clock.nowMs());
      const { fault, errors } = yield* this.#opened(coming, new Set(), refused, sink);
      const failing = errors.filter(({ severity }) => severity === "error");
      this.#settle([
        ...(fault === undefined ? [] : [faultError(fault, [])]),
        ...(failing.length === 0 ? [] : [registryFailure(failing)]),
        ...[...refused].map(([uid, error]) => asDicomTrolleyError(error, [uid])),
      ]);
    } catch (thrown) {
      this.handleResponseError(asDicomTrolleyError(thrown));
    }
  }

  /**
   * Reads an answer that holds no documents.
   * @throws XdsMissingDocumentError, Rad69ServerError for what the source reports; DicomTrolleyError when it is no such answer
   */
  static async parseRad69SoapErrorResponse(response: Answer): Promise<never> {
    const { fault, errors } = await readSoap(response).catch((thrown: unknown) => {
      throw asDicomTrolleyError(thrown);
    });
    if (fault !== undefined) throw faultError(fault, []);
    if (errors.length === 0) throw new DicomTrolleyError("RAD69_ANSWER_INVALID", { what: "no errors" });
    throw registryFailure(errors);
  }

  /** @throws the error, unless it is to be ignored */
  handleResponseError(error: DicomTrolleyError): void {
    if (!this.#isIgnored(error)) throw error;
    const { logger = silentLogger } = this.#options;
    logger.warn("rad69 error ignored", { code: error.code, instances: error.instances.length });
  }

  /** Contiguous piles of about the same size; fewer than `numBins` when there are fewer instances. */
  static splitInstances<T>(instances: readonly T[], numBins: number): readonly (readonly T[])[] {
    return instances.length === 0 ? [] : splitInto(instances, numBins);
  }

  #memory() {
    const limitBytes = this.#options.maximumInstanceBytes ?? USUAL_INSTANCE_BYTES;
    return memoryStore(
      limitBytes,
      () => new DicomTrolleyError("RAD69_LIMIT_EXCEEDED", { what: "instance", limitBytes }),
    );
  }

  #isIgnored(error: DicomTrolleyError): boolean {
    const { errorsToIgnore = [] } = this.#options;
    return errorsToIgnore.some((ignored) =>
      typeof ignored === "string" ? error.code === ignored : error instanceof ignored,
    );
  }

  /** Reads what comes as data sets, and keeps account of it; the answer at the end. */
  async *#opened(
    coming: AsyncGenerator<Received<Buffer>, SoapAnswer>,
    missing: Set<string>,
    refused: Map<string, GatewayError>,
    sink: Rad69Options["sink"],
  ): AsyncGenerator<Part10File, SoapAnswer> {
    try {
      let next = await coming.next();
      for (; !next.done; next = await coming.next()) {
        const received = next.value;
        if (received.kind === "refused") refused.set(received.sopInstanceUid, received.error);
        if (received.kind !== "instance") continue;
        const { facts, kept } = received;
        missing.delete(facts.sopInstanceUid);
        await sink?.(facts, kept);
        yield await readPart10(bytesSource(kept));
      }
      return next.value;
    } finally {
      await leave(coming);
    }
  }

  /** @throws the failures that are not to be ignored, as one */
  #settle(failures: readonly DicomTrolleyError[]): void {
    const serious: DicomTrolleyError[] = [];
    for (const failure of new Set(failures)) {
      if (this.#isIgnored(failure)) this.handleResponseError(failure);
      else serious.push(failure);
    }
    const [first] = serious;
    if (first === undefined) return;
    const instances = serious.flatMap((one) => one.instances);
    const reported = serious.flatMap((one) => (one instanceof Rad69ServerError ? one.errors : []));
    if (reported.length > 0) throw registryFailure(reported, instances);
    throw serious.length === 1 ? first : new DicomTrolleyError(first.code, first.details, instances, first);
  }
}

async function readSoap(response: Answer): Promise<SoapAnswer> {
  const type = parseMediaType(response.headers.get("content-type"))?.type ?? "";
  if (!/xml/.test(type) || /html/.test(type)) throw contentUnexpected(response);
  const reader = createSoapReader(USUAL_ANSWER_LIMITS.rootBytes);
  reader.push(await readBytes(response, USUAL_ANSWER_LIMITS.rootBytes));
  return reader.end();
}
