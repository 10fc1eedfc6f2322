import { GatewayError } from "radferry";
import {
  DiscardError,
  deserialise,
  getRefreshRate,
  type Message,
  OutOfHoursError,
  type ProcessingReport,
  processMessage,
  publishMessages,
  RequeueMessageError,
  StudyNotInPrimaryArchiveError,
  serialise,
  setRefreshRate,
} from "radferry/pixl";
import { answer, endOf } from "./refusals.ts";

const { MRN = "", ACCESSION = "", STUDY = "", API = "", BROKER_PORT = "" } = process.env;
const message: Message = {
  mrn: MRN,
  accessionNumber: ACCESSION,
  studyUid: STUDY,
  seriesUid: "",
  studyDate: "2022-11-22",
  procedureOccurrenceId: 4,
  projectName: "test-extract",
  extractGeneratedTimestamp: "2023-12-07T14:08:58",
};
const bytes: Uint8Array = serialise(message, { deserialisable: true });
const again: Message = deserialise(bytes);

await setRefreshRate(5, { url: API });
const rate: number = await getRefreshRate({ url: API });

const published: number = await publishMessages([message], { port: Number(BROKER_PORT), priority: 3 });

const report: ProcessingReport = await processMessage(message, "primary");
const unknown: Message = { ...message, mrn: "nobody", accessionNumber: "none", studyUid: "" };

answer({
  isSame: JSON.stringify(again) === JSON.stringify(message),
  rate,
  published,
  report,
  refusals: [
    await endOf(() => processMessage(unknown, "primary")),
    await endOf(() => deserialise(Buffer.from("{}"))),
    await endOf(() => setRefreshRate(5, { url: `${API}/elsewhere` })),
  ],
  areGateways: [StudyNotInPrimaryArchiveError, OutOfHoursError, RequeueMessageError, DiscardError].map(
    (each) => each.prototype instanceof GatewayError,
  ),
});
