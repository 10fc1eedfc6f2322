import { describe, expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { CONNECTION_KINDS } from "./kinds.ts";
import { rehearseConnection } from "./rehearse.ts";
import { openWorld } from "./world.ts";

const hasPeers = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so"), requirePeer("sshd")].every(Boolean);
const FIRST_SEED = 30_000;

/** Those that wait for no time-out, and not all of them: `npm run long` has the whole table. */
const SOME: ReadonlySet<string> = new Set([
  "archive-move cut",
  "archive-get refused",
  "archive-dicomweb reset",
  "destination-dimse cut",
  "destination-orthanc corrupt-head",
  "destination-s3 corrupt",
]);

describe.skipIf(!hasPeers)("failures, some of the table", { timeout: 120_000 }, () => {
  it("come to what the table says", async () => {
    await using world = await openWorld();
    const kinds = CONNECTION_KINDS.filter(({ name }) => SOME.has(name));
    const outcomes = kinds.map((kind, index) => rehearseConnection(kind, world, FIRST_SEED + index));
    const expected = kinds.map(({ seen, end }) => ({ seen, end, problems: [], isDamageUnseen: false }));
    expect(await Promise.all(outcomes)).toEqual(expected);
  });
});
