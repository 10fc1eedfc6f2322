import { expect, it } from "vitest";
import type { Destination, StudyDelivery, TranscodedInstance } from "../delivery/destination.ts";
import { parseSopInstanceUid } from "../dicom/uid.ts";
import type { Metrics } from "../units/metrics.ts";
import { meteredDestination } from "./metered.ts";

const metrics: Metrics = { add: () => {}, set: () => {}, observe: () => {} };
const transcoded: TranscodedInstance = {
  sopInstanceUid: parseSopInstanceUid("2.25.1"),
  transferSyntaxUid: "1.2.840.10008.1.2.1",
  sizeBytes: 10,
  sha256: "ab",
};

it("has a metered destination tell of what it sends in another form", async () => {
  const destination: Destination = {
    name: "pacs",
    kind: "dimse",
    proof: "uids",
    held: async () => new Set(),
    send: async (_delivery, _files, _signal, note) => await note?.([transcoded]),
    conclude: async () => {},
    async [Symbol.asyncDispose]() {},
  };
  const told: TranscodedInstance[] = [];
  const metered = meteredDestination(destination, { metrics, clock: { nowMs: () => 0 } });
  await metered.send({} as StudyDelivery, [], AbortSignal.any([]), async (instances) => void told.push(...instances));
  expect(told).toEqual([transcoded]);
});
