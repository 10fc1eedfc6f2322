import { describe, expect, it } from "vitest";
import { memoryArchive, memoryStore } from "../../../test/peers/memory-archive.ts";
import { sampleCt } from "../../../test/peers/sample-objects.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, textElement, textOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { startDimseServer } from "./server.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import type { DimseServerOptions, SubOperationCounts } from "./service-types.ts";
import { storageContextsForGet } from "./storage-contexts.ts";
import { ct, objects, open, ours, serve, transferSyntaxUids } from "./testing/pair.ts";

const { get } = QUERY_RETRIEVE_SOP_CLASSES["study-root"];
const model = "study-root";

const everything = dataSetOf([
  textElement(tags.QueryRetrieveLevel, "IMAGE", "CS"),
  textElement(tags.SOPInstanceUID, ""),
]);

function answer(number: number): DataSet {
  return dataSetOf([textElement(tags.PatientID, String(number))]);
}

describe("an association", () => {
  it("offers only what the provider has handlers for", async () => {
    await using server = await serve({ handlers: {} });
    await using association = await open(server);
    expect(association.acceptedContexts.map((one) => one.abstractSyntaxUid)).toEqual([VERIFICATION_SOP_CLASS]);
    await association.echo();
    await expect(Array.fromAsync(association.find({ model, identifier: everything }))).rejects.toMatchObject({
      code: "NO_PRESENTATION_CONTEXT",
    });
    await association.echo();
  });

  it("takes the first transfer syntax of the list that is known", async () => {
    await using server = await serve({ handlers: { store: memoryStore().handler } });
    const contexts = [
      {
        abstractSyntaxUid: ct,
        transferSyntaxUids: ["1.2.3.4.5", EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN],
      },
      { abstractSyntaxUid: "1.3.12.2.1107.5.9.1", transferSyntaxUids },
      { abstractSyntaxUid: "1.2.840.10008.5.1.4.31", transferSyntaxUids },
    ];
    await using association = await open(server, { contexts });
    expect(association.acceptedContexts.map((one) => [one.abstractSyntaxUid, one.transferSyntaxUid])).toEqual([
      [ct, EXPLICIT_VR_LITTLE_ENDIAN],
      ["1.3.12.2.1107.5.9.1", EXPLICIT_VR_LITTLE_ENDIAN],
    ]);
  });

  it.each([
    ["the called title is another", { calledAeTitles: ["OTHER"] }, "CALLED_AE_TITLE_UNKNOWN", 7],
    ["the calling title is not known", { callingAeTitles: ["OTHER"] }, "CALLING_AE_TITLE_UNKNOWN", 3],
    ["the limit is reached", { maximumAssociations: 0 }, "ASSOCIATION_REJECTED_TRANSIENT", 2],
  ])("is refused when %s", async (_, rules, code, reason) => {
    await using server = await serve({ rules });
    await expect(open(server)).rejects.toMatchObject({ code, details: { reason } });
  });

  it("has room again when another has ended, and the provider tells when it is idle", async () => {
    await using server = await serve({ rules: { maximumAssociations: 1 } });
    const idle = new Promise<void>((resolve) => server.onIdle(resolve));
    {
      await using _first = await open(server);
      expect(server.openAssociations).toBe(1);
      await expect(open(server)).rejects.toMatchObject({ code: "ASSOCIATION_REJECTED_TRANSIENT" });
    }
    await idle;
    await using second = await open(server);
    await second.echo();
  });

  it("does one operation at a time, in the order of the calls", async () => {
    await using server = await serve({ handlers: memoryArchive(objects) });
    await using association = await open(server);
    const [answers] = await Promise.all([
      Array.fromAsync(association.find({ model, identifier: everything })),
      association.echo(),
      association.echo(),
    ]);
    expect(answers).toHaveLength(objects.length);
  });

  it("is cut when the provider closes, unless something runs", async () => {
    const release = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const server = await serve({
      handlers: {
        async *find() {
          started.resolve();
          await release.promise;
          yield answer(1);
        },
      },
    });
    const [quiet, busy] = [await open(server), await open(server)];
    const answers = Array.fromAsync(busy.find({ model, identifier: everything }));
    await started.promise;
    const closed = server[Symbol.asyncDispose]();
    await expect(quiet.echo()).rejects.toMatchObject({ code: "ASSOCIATION_ABORTED" });
    release.resolve();
    expect(await answers).toHaveLength(1);
    await closed;
    await quiet[Symbol.asyncDispose]();
    await busy[Symbol.asyncDispose]();
  });
});

describe("C-FIND", () => {
  it("gives every answer, however slow they are taken", async () => {
    const count = 1000;
    await using server = await serve({
      handlers: {
        async *find() {
          for (let number = 0; number < count; number += 1) yield answer(number);
        },
      },
    });
    await using association = await open(server);
    const numbers: (string | undefined)[] = [];
    for await (const one of association.find({ model, identifier: everything })) {
      numbers.push(textOf(one, tags.PatientID));
      if (numbers.length % 100 === 0) await new Promise(setImmediate);
    }
    expect(numbers).toEqual(Array.from({ length: count }, (_, number) => String(number)));
  });

  /** A handler that never ends by itself, and tells when it was told to. */
  function endless() {
    const cancelled = Promise.withResolvers<void>();
    const handlers: DimseServerOptions["handlers"] = {
      async *find(_identifier, _model, signal) {
        signal.addEventListener("abort", () => cancelled.resolve(), { once: true });
        for (let number = 0; ; number += 1) {
          yield answer(number);
          await new Promise(setImmediate);
        }
      },
    };
    return { handlers, cancelled: cancelled.promise };
  }

  it("is cancelled when the loop is left, and the association goes on", async () => {
    const { handlers, cancelled } = endless();
    await using server = await serve({ handlers });
    await using association = await open(server);
    for await (const one of association.find({ model, identifier: everything })) {
      if (textOf(one, tags.PatientID) === "5") break;
    }
    await cancelled;
    await association.echo();
  });

  /** What a loop got before it threw. */
  async function answersAndError(answers: AsyncIterable<DataSet>) {
    const given: DataSet[] = [];
    try {
      for await (const one of answers) given.push(one);
    } catch (error) {
      return { count: given.length, error };
    }
    return { count: given.length, error: undefined };
  }

  it("gives no more answers than wanted, says that there are more, and cancels", async () => {
    const { handlers, cancelled } = endless();
    await using server = await serve({ handlers });
    await using association = await open(server);
    const request = { model, identifier: everything, maximumAnswers: 3 } as const;
    expect(await answersAndError(association.find(request))).toEqual({
      count: 3,
      error: expect.objectContaining({ code: "FIND_LIMIT_REACHED", details: { by: "us", maximumAnswers: 3 } }),
    });
    await cancelled;
    await association.echo();
  });

  it("gives exactly as many answers as wanted when there are no more", async () => {
    await using server = await serve({ handlers: memoryArchive(objects) });
    await using association = await open(server);
    const request = { model, identifier: everything, maximumAnswers: objects.length } as const;
    expect(await answersAndError(association.find(request))).toEqual({ count: objects.length, error: undefined });
  });

  it("is aborted by its signal", async () => {
    const { handlers, cancelled } = endless();
    await using server = await serve({ handlers });
    await using association = await open(server);
    const controller = new AbortController();
    const looking = (async () => {
      for await (const _ of association.find({ model, identifier: everything }, controller.signal)) controller.abort();
    })();
    await expect(looking).rejects.toMatchObject({ code: "CANCELLED" });
    await cancelled;
  });

  it("fails with the status when the handler fails", async () => {
    await using server = await serve({
      handlers: {
        find: () => {
          throw new GatewayError("INTERNAL");
        },
      },
    });
    await using association = await open(server);
    await expect(Array.fromAsync(association.find({ model, identifier: everything }))).rejects.toMatchObject({
      code: "DIMSE_FAILED",
      details: { status: "C001H" },
    });
    await association.echo();
  });
});

describe("C-MOVE", () => {
  async function startPair(objectsOfArchive = objects, statusOfSecond = 0x0000) {
    const { received, handler } = memoryStore();
    const originators = new Set<string | undefined>();
    const receiver = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: ours,
      handlers: {
        store: async (instance, signal) => {
          originators.add(instance.moveOriginatorAeTitle);
          return instance.sopInstanceUid === objects[1]?.sopInstanceUid && statusOfSecond !== 0x0000
            ? { refuse: statusOfSecond }
            : handler(instance, signal);
        },
      },
    });
    const destination = { aeTitle: ours, host: "127.0.0.1", port: receiver.port };
    const archive = await serve({
      handlers: memoryArchive(objectsOfArchive, (title) => (title === ours ? destination : undefined)),
    });
    return { received, originators, receiver, archive };
  }

  it("moves every instance and counts them, and says who asked for them", async () => {
    const { received, originators, receiver, archive } = await startPair();
    await using _receiver = receiver;
    await using _archive = archive;
    await using association = await open(archive);
    const progress: SubOperationCounts[] = [];
    const request = { model, identifier: everything, destination: ours } as const;
    const result = await association.move(request, (counts) => progress.push(counts));
    expect(result).toEqual({
      ...{ status: 0x0000, remaining: undefined, completed: 3, failed: 0, warning: 0 },
      failedSopInstanceUids: [],
    });
    expect(progress.map(({ remaining, completed }) => [remaining, completed])).toEqual([
      [2, 1],
      [1, 2],
    ]);
    expect([...received.keys()]).toEqual(objects.map((one) => one.sopInstanceUid));
    expect([...originators]).toEqual([ours]);
  });

  it("names the instances that failed", async () => {
    const { receiver, archive } = await startPair(objects, 0xa700);
    await using _receiver = receiver;
    await using _archive = archive;
    await using association = await open(archive);
    const result = await association.move({ model, identifier: everything, destination: ours });
    expect(result).toMatchObject({ status: 0xb000, completed: 2, failed: 1, warning: 0 });
    expect(result.failedSopInstanceUids).toEqual([objects[1]?.sopInstanceUid]);
  });

  it("fails as a whole when the destination cannot be reached", async () => {
    const { receiver, archive } = await startPair();
    await receiver[Symbol.asyncDispose]();
    await using _archive = archive;
    await using association = await open(archive);
    const result = await association.move({ model, identifier: everything, destination: ours });
    expect(result).toMatchObject({ status: 0xa702, completed: 0, failed: 3 });
  });

  it("does not know every destination", async () => {
    const { receiver, archive } = await startPair();
    await using _receiver = receiver;
    await using _archive = archive;
    await using association = await open(archive);
    const destination = parseAeTitle("NOBODY");
    expect((await association.move({ model, identifier: everything, destination })).status).toBe(0xa801);
  });
});

describe("C-GET", () => {
  const getContext = { abstractSyntaxUid: get, transferSyntaxUids };

  it("brings every instance over the same association", async () => {
    await using server = await serve({ handlers: memoryArchive(objects) });
    await using association = await open(server, { contexts: [getContext, ...storageContextsForGet()] });
    const { received, handler } = memoryStore();
    const result = await association.get({ model, identifier: everything }, handler);
    expect(result).toMatchObject({ status: 0x0000, completed: 3, failed: 0 });
    expect([...received.keys()]).toEqual(objects.map((one) => one.sopInstanceUid));
  });

  it("reports as failed what no context can carry", async () => {
    const foreign = { ...sampleCt(1, 1, 9), sopClassUid: "1.2.840.10008.5.1.4.1.1.4" };
    await using server = await serve({ handlers: memoryArchive([...objects, foreign]) });
    await using association = await open(server, { contexts: [getContext, ...storageContextsForGet([ct])] });
    const result = await association.get({ model, identifier: everything }, memoryStore().handler);
    expect(result).toMatchObject({ status: 0xb000, completed: 3, failed: 1 });
    expect(result.failedSopInstanceUids).toEqual([foreign.sopInstanceUid]);
  });
});
