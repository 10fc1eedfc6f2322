import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { outgoingSample } from "../../../test/peers/sample-objects.ts";
import { PduReader } from "../upper-layer/pdu-reader.ts";
import { fragmentBytesFor, writeMessage } from "./message-writer.ts";
import { storageContextsFor } from "./storage-contexts.ts";
import { objects, open, serve } from "./testing/pair.ts";

/** The longest variable field of what is sent to a peer with this maximum length, and the data in it. PS3.8 D.1. */
async function sentTo(maximumPduLength: number, command: Uint8Array, dataSet: readonly Uint8Array[]) {
  let longest = 0;
  const [commandParts, dataParts]: [Uint8Array[], Uint8Array[]] = [[], []];
  const sent: Uint8Array[] = [];
  const chunks = async function* () {
    yield* dataSet;
  };
  await writeMessage(1, command, chunks(), fragmentBytesFor(maximumPduLength), async (pdus) => {
    sent.push(...pdus);
  });
  const stream = Buffer.concat(sent);
  const reader = new PduReader(0, {
    pdu: () => {},
    dataPdu: () => {},
    fragment: (fragment) => void (fragment.command ? commandParts : dataParts).push(fragment.bytes),
    invalid: (error) => {
      throw error;
    },
  });
  reader.push(stream);
  for (let offset = 0; offset < stream.length; offset += 6 + stream.readUInt32BE(offset + 2)) {
    longest = Math.max(longest, stream.readUInt32BE(offset + 2));
  }
  return { longest, command: Buffer.concat(commandParts), dataSet: Buffer.concat(dataParts) };
}

describe("what is sent", () => {
  it("is never longer than the peer takes, whatever that is, and loses nothing", async () => {
    const maximum = fc.oneof(fc.integer({ min: 8, max: 40 }), fc.integer({ min: 8, max: 300_000 }));
    const chunks = fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        maximum,
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        chunks,
        async (length, command, data) => {
          const sent = await sentTo(length, command, data);
          expect(sent.longest).toBeLessThanOrEqual(length);
          expect([sent.command, sent.dataSet]).toEqual([Buffer.from(command), Buffer.concat(data)]);
        },
      ),
    );
  });

  it.each([
    ["without a limit", 0],
    ["with the largest limit there can be", 0xffff_ffff],
  ])("to a peer %s is kept to 256 KiB", async (_, length) => {
    const { longest, dataSet } = await sentTo(length, Uint8Array.of(1), [new Uint8Array(1024 * 1024)]);
    expect([longest, dataSet.length]).toEqual([256 * 1024, 1024 * 1024]);
  });
});

describe.each([8, 12, 17, 0])("with a maximum length of %i on both sides", (maximumPduLength) => {
  it("instances arrive as they were", async () => {
    const { handler, received } = memoryStore();
    const [instance] = objects.map(outgoingSample);
    if (instance === undefined) throw new Error("no sample");
    await using server = await serve({ handlers: { store: handler }, maximumPduLength });
    const [contexts = []] = storageContextsFor([instance]);
    await using association = await open(server, { contexts, maximumPduLength });
    expect(await association.store(instance)).toEqual({ status: 0x0000 });
    const sent: Uint8Array[] = [];
    for await (const chunk of instance.open()) sent.push(chunk);
    expect([...received.values()]).toEqual([Buffer.concat(sent)]);
  });
});
