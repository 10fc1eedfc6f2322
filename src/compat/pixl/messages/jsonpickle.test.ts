import { expect, it } from "vitest";
import { runPixlProducer } from "../../../../test/peers/pixl-producer.ts";
import { requirePythonPeers } from "../../../../test/peers/python-peers.ts";
import { deserialise } from "./deserialise.ts";
import type { Message } from "./message.ts";
import { serialise } from "./serialise.ts";

const usual: Message = {
  mrn: "987654321",
  accessionNumber: "AA12345601",
  studyUid: "1.3.6.1",
  seriesUid: "",
  studyDate: "2022-11-22",
  procedureOccurrenceId: 4,
  projectName: "p",
  extractGeneratedTimestamp: "2023-12-07T14:08:58.123456",
};

const messages: readonly Message[] = [
  usual,
  { ...usual, extractGeneratedTimestamp: "2023-12-07T14:08:58+00:00" },
  { ...usual, extractGeneratedTimestamp: "2023-12-07T14:08:58.123456+00:00[Europe/London]" },
];

it.skipIf(!requirePythonPeers())("is at one with jsonpickle, in both directions", async () => {
  const ours = messages.map((message) => serialise(message).toString("base64"));
  const { encode, decode } = await runPixlProducer({ do: ["encode", "decode"], messages: ours });
  expect(encode.slice(0, 3)).toEqual(ours);
  expect(encode.slice(0, 3).map((each) => deserialise(Buffer.from(each, "base64")))).toEqual(messages);
  const [references, notANumber] = encode.slice(3).map((each) => Buffer.from(each, "base64"));
  expect(deserialise(references ?? Buffer.alloc(0))).toMatchObject({
    mrn: "Jörg",
    studyUid: "",
    seriesUid: "1.2\\1.3",
    extractGeneratedTimestamp: "2023-12-07T14:08:58.123456-05:00",
  });
  expect(() => deserialise(notANumber ?? Buffer.alloc(0))).toThrow(
    expect.objectContaining({ details: { field: "mrn", found: "NaN" } }),
  );
  const fields =
    "Message(mrn='987654321', accession_number='AA12345601', study_uid='1.3.6.1', series_uid='', " +
    "study_date=datetime.date(2022, 11, 22), procedure_occurrence_id=4, project_name='p', extract_generated_timestamp=";
  expect(decode).toEqual([
    `${fields}datetime.datetime(2023, 12, 7, 14, 8, 58, 123456))`,
    `${fields}datetime.datetime(2023, 12, 7, 14, 8, 58, tzinfo=datetime.timezone.utc))`,
    `${fields}datetime.datetime(2023, 12, 7, 14, 8, 58, 123456, tzinfo=zoneinfo.ZoneInfo(key='Europe/London')))`,
  ]);
});
