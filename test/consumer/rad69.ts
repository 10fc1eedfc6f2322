import { GatewayError } from "radferry";
import { type Part10File, tagOf, textOf } from "radferry/dicom";
import {
  DicomTrolleyError,
  type HttpClient,
  type InstanceReference,
  NonInstanceParameterError,
  openHttpClient,
  Rad69,
  Rad69ServerError,
  XdsMissingDocumentError,
} from "radferry/rad69";
import { answer, endOf } from "./refusals.ts";

const { RAD69_URL: url = "", HELD = "[]" } = process.env;
const held: readonly InstanceReference[] = JSON.parse(HELD);
const [first] = held;
if (first === undefined) throw new Error("no instance");
const none: InstanceReference = { ...first, sopInstanceUid: "1.2.3.4" };

const SOAP = { "content-type": "application/soap+xml; charset=utf-8" } as const;

async function count(datasets: AsyncIterable<Part10File>): Promise<number> {
  const uids = new Set<string | undefined>();
  for await (const { dataSet } of datasets) uids.add(textOf(dataSet, tagOf(0x00080018)));
  return uids.size;
}

await using session: HttpClient = openHttpClient({ baseUrl: url });
await using rad69 = new Rad69({
  session,
  url,
  requestPerSeries: true,
  errorsToIgnore: [],
  useAsync: false,
  maxWorkers: 2,
});
await using lenient = new Rad69({ session, url, errorsToIgnore: [XdsMissingDocumentError] });

/** An answer that was asked for by hand. */
const ask = (instances: readonly InstanceReference[]) =>
  session.request({
    method: "POST",
    headers: SOAP,
    body: instances.length === 1 ? rad69.createInstanceRequest(first ?? none) : rad69.createInstancesRequest(instances),
    accepts: () => true,
  });

const oneByOne = await ask([first]);
await Rad69.checkForResponseErrors(oneByOne);
const checked = await ask(held);
await rad69.verifyResponse(checked);
const dataset: Part10File = await rad69.getDataset(first);
const ignored = new XdsMissingDocumentError("RAD69_DOCUMENT_MISSING", {}, []);
lenient.handleResponseError(ignored);

answer({
  counts: [
    await count(rad69.datasets(held)),
    await count(rad69.datasetsAsync(held)),
    await count(rad69.datasetsSingleThread(held)),
    await count(rad69.downloadIterator(held)),
    await count(rad69.seriesDownloadIterator(held, 0)),
    await count(rad69.parseRad69Response(oneByOne)),
    await count(rad69.parseRad69Response(checked)),
    await count(lenient.datasets([none, ...held])),
  ],
  elements: dataset.dataSet.size,
  piles: Rad69.splitInstances(held, 2).map((pile) => pile.length),
  refusals: [
    await endOf(() => rad69.getDataset(none)),
    await endOf(() => count(rad69.datasets({ studyInstanceUid: first.studyInstanceUid }))),
    await endOf(() => rad69.handleResponseError(ignored)),
    await endOf(async () => {
      const request = { method: "POST", headers: SOAP, body: "no envelope", accepts: () => true } as const;
      return await Rad69.parseRad69SoapErrorResponse(await session.request(request));
    }),
  ],
  family: [
    DicomTrolleyError.prototype instanceof GatewayError,
    Rad69ServerError.prototype instanceof DicomTrolleyError,
    XdsMissingDocumentError.prototype instanceof Rad69ServerError,
    NonInstanceParameterError.prototype instanceof DicomTrolleyError,
  ],
});
