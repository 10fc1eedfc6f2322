import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { OutgoingInstance } from "./service-types.ts";
import { storageContextsFor } from "./storage-contexts.ts";
import { ct, open, serve } from "./testing/pair.ts";

describe("C-STORE", () => {
  const chunk = Buffer.alloc(512 * 1024, 0x5a);

  function large(chunks: number): OutgoingInstance {
    return {
      sopClassUid: ct,
      sopInstanceUid: "1.2.3.4",
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
      async *open() {
        for (let sent = 0; sent < chunks; sent += 1) yield chunk;
      },
    };
  }
  const [contexts = []] = storageContextsFor([large(1)]);

  it("needs a context of the same class and transfer syntax", async () => {
    await using server = await serve({ handlers: { store: memoryStore().handler } });
    await using association = await open(server, { contexts });
    const compressed = { ...large(1), transferSyntaxUid: "1.2.840.10008.1.2.4.70" };
    await expect(association.store(compressed)).rejects.toMatchObject({ code: "NO_PRESENTATION_CONTEXT" });
    expect(await association.store(large(1))).toEqual({ status: 0x0000 });
  });

  it("keeps a slow receiver's memory, and the sender's, bounded: 50 MB", async () => {
    const chunks = 100;
    let produced = 0;
    let taken = 0;
    let mostOnTheWay = 0;
    await using server = await serve({
      handlers: {
        store: async () => ({
          async write(bytes) {
            taken += bytes.length;
            mostOnTheWay = Math.max(mostOnTheWay, produced - taken);
            await new Promise(setImmediate);
          },
          close: async () => 0x0000,
          abort: async () => {},
        }),
      },
    });
    await using association = await open(server, { contexts });
    const counted: OutgoingInstance = {
      ...large(chunks),
      async *open() {
        for await (const bytes of large(chunks).open()) {
          produced += bytes.length;
          yield bytes;
        }
      },
    };
    expect(await association.store(counted)).toEqual({ status: 0x0000 });
    expect(taken).toBe(chunks * chunk.length);
    // Socket buffers of both ends and a few batches; far below the object.
    expect(mostOnTheWay).toBeLessThan(20 * 1024 * 1024);
  });

  it("respects the peer's maximum PDU length, however small", async () => {
    const { received, handler } = memoryStore();
    await using server = await serve({ handlers: { store: handler }, maximumPduLength: 4096 });
    await using association = await open(server, { contexts });
    expect(await association.store(large(2))).toEqual({ status: 0x0000 });
    expect(received.get("1.2.3.4")?.equals(Buffer.concat([chunk, chunk]))).toBe(true);
  });

  it("aborts when the source fails half-way", async () => {
    const aborted = Promise.withResolvers<void>();
    await using server = await serve({
      handlers: {
        store: async () => ({
          write: () => {},
          close: async () => 0x0000,
          abort: async () => aborted.resolve(),
        }),
      },
    });
    await using association = await open(server, { contexts });
    const failing: OutgoingInstance = {
      ...large(1),
      async *open() {
        yield* large(3).open();
        throw new GatewayError("DICOM_TRUNCATED");
      },
    };
    await expect(association.store(failing)).rejects.toMatchObject({ code: "DICOM_TRUNCATED" });
    await aborted.promise;
  });

  it("runs on many associations at once", async () => {
    const { received, handler } = memoryStore();
    await using server = await serve({ handlers: { store: handler } });
    const stores = Array.from({ length: 20 }, async (_, index) => {
      await using association = await open(server, { contexts });
      return await association.store({ ...large(1), sopInstanceUid: `1.2.${index}` });
    });
    expect(new Set((await Promise.all(stores)).map(({ status }) => status))).toEqual(new Set([0x0000]));
    expect(received.size).toBe(20);
  });

  it("does not time out while the receiver, not the sender, is slow", async () => {
    const timeouts = { idleTimeoutMs: 60 };
    await using server = await serve({
      timeouts,
      handlers: {
        store: async (_, signal) => ({
          write: () => {},
          // Longer than the idle time of the provider.
          close: async () => {
            await once(AbortSignal.any([signal, AbortSignal.timeout(200)]), "abort");
            return signal.aborted ? 0x0110 : 0x0000;
          },
          abort: async () => {},
        }),
      },
    });
    await using association = await open(server, { contexts });
    expect(await association.store(outgoingSample({ ...sampleCt(1, 1, 1) }))).toEqual({ status: 0x0000 });
  });
});
