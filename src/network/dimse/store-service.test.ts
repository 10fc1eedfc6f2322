import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { OutgoingInstance, StoreHandler } from "./service-types.ts";
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

  it("sends each instance over the context of its own syntax, and names the one that has none", async () => {
    const syntaxes = [
      EXPLICIT_VR_LITTLE_ENDIAN,
      "1.2.840.10008.1.2",
      "1.2.840.10008.1.2.4.70",
      "1.2.840.10008.1.2.4.90",
    ];
    const instances = syntaxes.map((transferSyntaxUid, index) => ({
      ...large(1),
      sopInstanceUid: `1.2.3.${index}`,
      transferSyntaxUid,
    }));
    const received = new Map<string, string>();
    await using server = await serve({
      handlers: {
        store: async ({ sopInstanceUid, transferSyntaxUid }) => {
          received.set(sopInstanceUid, transferSyntaxUid);
          return { write: () => {}, close: async () => 0x0000, abort: async () => {} };
        },
      },
      rules: { transferSyntaxUids: syntaxes.slice(0, 3) },
    });
    const [ofAll = []] = storageContextsFor(instances);
    await using association = await open(server, { contexts: ofAll });
    const outcomes: unknown[] = [];
    for (const instance of instances) {
      outcomes.push(await association.store(instance).catch(({ code, details }) => ({ code, details })));
    }
    expect(outcomes).toEqual([
      { status: 0x0000 },
      { status: 0x0000 },
      { status: 0x0000 },
      { code: "NO_PRESENTATION_CONTEXT", details: { sopClassUid: ct, transferSyntaxUid: syntaxes[3] } },
    ]);
    expect([...received]).toEqual(syntaxes.slice(0, 3).map((syntax, index) => [`1.2.3.${index}`, syntax]));
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

  it("runs on 50 associations at once, and holds one piece of each while the disk does not keep up", async () => {
    const associations = 50;
    const chunks = 8;
    const maximumPduLength = 65_536;
    const disk = Promise.withResolvers<void>();
    const allStuck = Promise.withResolvers<void>();
    const taken = new Map<string, number>();
    let waiting = 0;
    let mostWritesAtOnce = 0;
    let largestPiece = 0;
    let produced = 0;
    const store: StoreHandler = async ({ sopInstanceUid }) => {
      let writes = 0;
      return {
        async write(bytes) {
          writes += 1;
          mostWritesAtOnce = Math.max(mostWritesAtOnce, writes);
          largestPiece = Math.max(largestPiece, bytes.length);
          taken.set(sopInstanceUid, (taken.get(sopInstanceUid) ?? 0) + bytes.length);
          waiting += 1;
          if (waiting === associations) allStuck.resolve();
          await disk.promise;
          writes -= 1;
        },
        close: async () => 0x0000,
        abort: async () => {},
      };
    };
    await using server = await serve({ handlers: { store }, maximumPduLength });
    const stores = Array.from({ length: associations }, async (_, index) => {
      await using association = await open(server, { contexts });
      return await association.store({
        ...large(chunks),
        sopInstanceUid: `1.2.${index}`,
        async *open() {
          for await (const bytes of large(chunks).open()) {
            produced += bytes.length;
            yield bytes;
          }
        },
      });
    });
    await allStuck.promise;
    expect(server.openAssociations).toBe(associations);
    // Every sink has one piece, and gets no other before it has taken that.
    expect(waiting).toBe(associations);
    disk.resolve();
    expect(new Set((await Promise.all(stores)).map(({ status }) => status))).toEqual(new Set([0x0000]));
    expect([mostWritesAtOnce, produced]).toEqual([1, associations * chunks * chunk.length]);
    expect(largestPiece).toBeLessThanOrEqual(maximumPduLength);
    expect(new Set(taken.values())).toEqual(new Set([chunks * chunk.length]));
  });

  it("stops a sender whose receiver takes nothing, after what the sockets hold", async () => {
    const disk = Promise.withResolvers<void>();
    let produced = 0;
    const store: StoreHandler = async () => ({
      write: () => disk.promise,
      close: async () => 0x0000,
      abort: async () => {},
    });
    await using server = await serve({ handlers: { store } });
    await using association = await open(server, { contexts });
    const chunks = 200;
    const stored = association.store({
      ...large(chunks),
      async *open() {
        for await (const bytes of large(chunks).open()) {
          produced += bytes.length;
          yield bytes;
        }
      },
    });
    let before = -1;
    // Until nothing more is produced in many turns of the event loop.
    for (let quiet = 0; quiet < 1_000; quiet = before === produced ? quiet + 1 : 0) {
      before = produced;
      await new Promise(setImmediate);
    }
    expect(produced).toBeLessThan((chunks * chunk.length) / 4);
    disk.resolve();
    expect(await stored).toEqual({ status: 0x0000 });
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
