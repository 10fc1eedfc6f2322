import { describe, expect, it } from "vitest";
import { freePort } from "../../../test/peers/free-port.ts";
import {
  abortPdu,
  associateAcceptPdu,
  associateRejectPdu,
  associateRequestPdu,
  dataPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../../../test/peers/pdu-fixtures.ts";
import { playScript, type Step, startScriptedPeer } from "../../../test/peers/scripted-peer.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { encodePdu } from "../upper-layer/pdu-encoder.ts";
import { openAssociation } from "./association.ts";
import { COMMAND_FIELD, encodeCommandSet, NO_DATA_SET } from "./command-set.ts";
import { startDimseServer } from "./server.ts";
import { VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import type { AssociationOptions, InstanceSink } from "./service-types.ts";

const timeouts = { connectTimeoutMs: 100, artimTimeoutMs: 100, idleTimeoutMs: 100 };
const contexts = [{ abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] }];
const ct = "1.2.840.10008.5.1.4.1.1.2";

function open(port: number, options: Partial<AssociationOptions> = {}) {
  const address = { aeTitle: parseAeTitle("CALLED"), host: "127.0.0.1", port };
  return openAssociation({ address, callingAeTitle: parseAeTitle("CALLING"), contexts, timeouts, ...options });
}

async function codeOf(outcome: Promise<unknown>): Promise<unknown> {
  const error = await outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof GatewayError ? error.code : error;
}

const onAssociation: readonly Step[] = [{ expectPdu: 0x01 }, { send: associateAcceptPdu() }];
const echoAnswer = encodeCommandSet({
  commandField: COMMAND_FIELD["C-ECHO-RQ"] | 0x8000,
  messageIdBeingRespondedTo: 1,
  commandDataSetType: NO_DATA_SET,
  status: 0x0000,
});

describe("an association that does not come about", () => {
  it.each<readonly [string, readonly Step[], string]>([
    ["rejected for good", [{ expectPdu: 0x01 }, { send: associateRejectPdu(1, 1, 1) }], "ASSOCIATION_REJECTED"],
    ["not known", [{ expectPdu: 0x01 }, { send: associateRejectPdu(1, 1, 3) }], "CALLING_AE_TITLE_UNKNOWN"],
    ["called by another name", [{ expectPdu: 0x01 }, { send: associateRejectPdu(1, 1, 7) }], "CALLED_AE_TITLE_UNKNOWN"],
    [
      "not known for now",
      [{ expectPdu: 0x01 }, { send: associateRejectPdu(2, 1, 3) }],
      "ASSOCIATION_REJECTED_TRANSIENT",
    ],
    [
      "rejected for now",
      [{ expectPdu: 0x01 }, { send: associateRejectPdu(2, 3, 2) }],
      "ASSOCIATION_REJECTED_TRANSIENT",
    ],
    ["aborted", [{ expectPdu: 0x01 }, { send: abortPdu(2, 1) }], "ASSOCIATION_ABORTED"],
    ["closed", [{ expectPdu: 0x01 }, { abruptly: "end" }], "ASSOCIATION_ABORTED"],
    ["reset", [{ expectPdu: 0x01 }, { abruptly: "reset" }], "ASSOCIATION_ABORTED"],
    ["unanswered", [{ expectPdu: 0x01 }], "TIMED_OUT"],
    ["answered by a web server", [{ send: Buffer.from("HTTP/1.1 400 Bad\r\n\r\n") }], "DIMSE_PROTOCOL_VIOLATION"],
    [
      "accepted in a context never proposed",
      [{ expectPdu: 0x01 }, { send: associateAcceptPdu(3) }],
      "DIMSE_PROTOCOL_VIOLATION",
    ],
    [
      "accepted in a transfer syntax never proposed",
      [{ expectPdu: 0x01 }, { send: associateAcceptPdu(1, "1.2.840.10008.1.2.2") }],
      "DIMSE_PROTOCOL_VIOLATION",
    ],
  ])("is %s", async (_, script, code) => {
    await using peer = await startScriptedPeer(script);
    expect(await codeOf(open(peer.port))).toBe(code);
  });

  it("tells source and reason of a rejection", async () => {
    await using peer = await startScriptedPeer([{ expectPdu: 0x01 }, { send: associateRejectPdu(1, 1, 3) }]);
    await expect(open(peer.port)).rejects.toMatchObject({ details: { source: 1, reason: 3 } });
  });

  it("has nobody who listens", async () => {
    expect(await codeOf(open(await freePort()))).toBe("CONNECTION_FAILED");
  });

  it("is cancelled before it begins, and while it waits", async () => {
    await using peer = await startScriptedPeer([{ expectPdu: 0x01 }]);
    expect(await codeOf(open(peer.port, { signal: AbortSignal.abort() }))).toBe("CANCELLED");
    const controller = new AbortController();
    const opening = codeOf(open(peer.port, { signal: controller.signal, timeouts: {} }));
    await peer.played;
    controller.abort();
    expect(await opening).toBe("CANCELLED");
  });
});

describe("an answer that does not come as it should", () => {
  it.each<readonly [string, readonly Step[], string]>([
    ["nothing", [], "TIMED_OUT"],
    ["an abort", [{ send: abortPdu(0, 0) }], "ASSOCIATION_ABORTED"],
    ["a closed connection", [{ abruptly: "end" }], "ASSOCIATION_ABORTED"],
    ["an answer on a context never accepted", [{ send: dataPdu(3, 0x03, echoAnswer) }], "DIMSE_PROTOCOL_VIOLATION"],
    ["a data set without a command", [{ send: dataPdu(1, 0x02, echoAnswer) }], "DIMSE_PROTOCOL_VIOLATION"],
    ["an answer to another request", [{ send: dataPdu(1, 0x03, answerTo(2)) }], "DIMSE_PROTOCOL_VIOLATION"],
    ["a command set cut short", [{ send: dataPdu(1, 0x03, echoAnswer.subarray(0, 30)) }], "DIMSE_PROTOCOL_VIOLATION"],
    [
      "a PDU length that lies",
      [{ send: Uint8Array.of(4, 0, 0, 0, 0, 9, 0, 0, 0, 99, 1, 3) }],
      "DIMSE_PROTOCOL_VIOLATION",
    ],
  ])("is %s", async (_, steps, code) => {
    await using peer = await startScriptedPeer([...onAssociation, { expectPdu: 0x04 }, ...steps]);
    await using association = await open(peer.port);
    expect(await codeOf(association.echo())).toBe(code);
  });

  function answerTo(messageIdBeingRespondedTo: number): Buffer {
    return encodeCommandSet({
      commandField: COMMAND_FIELD["C-ECHO-RQ"] | 0x8000,
      messageIdBeingRespondedTo,
      commandDataSetType: NO_DATA_SET,
      status: 0x0000,
    });
  }

  it("ends every later request with the same error", async () => {
    await using peer = await startScriptedPeer([...onAssociation, { expectPdu: 0x04 }, { send: abortPdu(0, 0) }]);
    await using association = await open(peer.port);
    expect(await codeOf(association.echo())).toBe("ASSOCIATION_ABORTED");
    expect(await codeOf(association.echo())).toBe("ASSOCIATION_ABORTED");
  });
});

it("takes an answer in many small fragments", async () => {
  const fragments = [...echoAnswer].map((byte, index) =>
    dataPdu(1, index === echoAnswer.length - 1 ? 0x03 : 0x01, Uint8Array.of(byte)),
  );
  const release: readonly Step[] = [{ expectPdu: 0x05 }, { send: releaseResponsePdu }];
  const answer = { send: Buffer.concat(fragments) };
  await using peer = await startScriptedPeer([...onAssociation, { expectPdu: 0x04 }, answer, ...release]);
  await using association = await open(peer.port);
  await association.echo();
});

it("aborts what is cancelled while it waits", async () => {
  await using peer = await startScriptedPeer([...onAssociation, { expectPdu: 0x04 }, { expectPdu: 0x07 }]);
  const controller = new AbortController();
  await using association = await open(peer.port, { timeouts: {} });
  const echoed = codeOf(association.echo(controller.signal));
  while (!peer.received.some(([type]) => type === 0x04)) await new Promise(setImmediate);
  controller.abort();
  expect(await echoed).toBe("CANCELLED");
  await peer.played;
});

it("takes no notice of data after the release", async () => {
  const afterRelease = { send: Buffer.concat([releaseResponsePdu, dataPdu(1, 0x03, echoAnswer)]) };
  await using peer = await startScriptedPeer([...onAssociation, { expectPdu: 0x05 }, afterRelease]);
  await (await open(peer.port))[Symbol.asyncDispose]();
  await peer.played;
  expect(peer.received.map(([type]) => type)).toEqual([0x01, 0x05]);
});

describe("our provider and a peer that misbehaves", () => {
  const storeContexts: Uint8Array = encodePdu({
    kind: "A-ASSOCIATE-RQ",
    protocolVersion: 1,
    calledAeTitle: "CALLED",
    callingAeTitle: "CALLING",
    applicationContextUid: "1.2.840.10008.3.1.1.1",
    contexts: [{ id: 1, abstractSyntaxUid: ct, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] }],
    userInformation: {
      maximumPduLength: 0,
      implementationClassUid: "1.2.3",
      implementationVersionName: "",
      asynchronousOperationsWindow: undefined,
      roleSelections: [],
    },
  });
  const storeRequest = (sopInstanceUid: string): Uint8Array =>
    dataPdu(
      1,
      0x03,
      encodeCommandSet({
        affectedSopClassUid: ct,
        commandField: COMMAND_FIELD["C-STORE-RQ"],
        messageId: 1,
        priority: 0,
        commandDataSetType: 1,
        affectedSopInstanceUid: sopInstanceUid,
      }),
    );
  const half = dataPdu(1, 0x00, Buffer.alloc(1000));
  const rest = dataPdu(1, 0x02, Buffer.alloc(1000));
  const begin: readonly Step[] = [
    { send: storeContexts },
    { expectPdu: 0x02 },
    { send: storeRequest("1.2.3.4") },
    { send: half },
  ];

  /** A provider whose sink writes down what is done with it. */
  async function startStorage(sink: Partial<InstanceSink> = {}) {
    const calls: string[] = [];
    const aborted = Promise.withResolvers<void>();
    const server = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("CALLED"),
      timeouts,
      handlers: {
        store: async () => ({
          write: () => {
            calls.push("write");
            return sink.write?.(new Uint8Array(0));
          },
          close: async () => {
            calls.push("close");
            return (await sink.close?.()) ?? 0x0000;
          },
          abort: async () => {
            calls.push("abort");
            aborted.resolve();
          },
        }),
      },
    });
    return { server, calls, aborted: aborted.promise };
  }

  it.each<readonly [string, readonly Step[]]>([
    ["aborts", [{ send: abortPdu(0, 0) }]],
    ["closes", [{ abruptly: "end" }]],
    ["resets", [{ abruptly: "reset" }]],
    ["stays silent", [{ expectPdu: 0x07 }]],
    ["asks for the release", [{ send: releaseRequestPdu }, { expectPdu: 0x06 }]],
    ["sends a command", [{ send: storeRequest("1.2.3.5") }, { expectPdu: 0x07 }]],
    ["sends on a context never accepted", [{ send: dataPdu(9, 0x00, Buffer.alloc(10)) }, { expectPdu: 0x07 }]],
    ["sends garbage", [{ send: Buffer.from("garbage") }, { expectPdu: 0x07 }]],
  ])("in the middle of a data set: %s; the sink is aborted once and never closed", async (_, steps) => {
    const { server, calls, aborted } = await startStorage();
    {
      await using _server = server;
      await playScript(server.port, [...begin, ...steps, { expectEnd: true }]);
      await aborted;
    }
    expect(calls.filter((call) => call !== "write")).toEqual(["abort"]);
  });

  const statusOf = (pdus: readonly Buffer[]): number | undefined => {
    const answer = pdus.findLast(([type]) => type === 0x04);
    // Status (0000,0900) US: tag, length 2, value.
    const at = answer?.indexOf(Buffer.of(0, 0, 0, 9, 2, 0, 0, 0)) ?? -1;
    return at < 0 ? undefined : answer?.readUInt16LE(at + 8);
  };

  it.each<readonly [string, Partial<InstanceSink>, number, readonly string[]]>([
    ["what close says", { close: async () => 0xa700 }, 0xa700, ["close"]],
    [
      "out of resources when close fails transiently",
      { close: () => Promise.reject(new GatewayError("TIMED_OUT")) },
      0xa700,
      ["close"],
    ],
    [
      "processing failure when write throws",
      {
        write: () => {
          throw new Error("disk");
        },
      },
      0x0110,
      ["abort"],
    ],
    ["processing failure when write rejects", { write: () => Promise.reject(new Error("disk")) }, 0x0110, ["abort"]],
  ])("answers a whole data set with %s", async (_, sink, status, ending) => {
    const { server, calls } = await startStorage(sink);
    await using _server = server;
    const received = await playScript(server.port, [
      ...begin,
      { send: rest },
      { expectPdu: 0x04 },
      { send: releaseRequestPdu },
      { expectPdu: 0x06 },
    ]);
    expect(statusOf(received)).toBe(status);
    expect(calls.filter((call) => call !== "write")).toEqual(ending);
  });

  it("refuses an instance whose UID is a path, and reads on", async () => {
    const { server, calls } = await startStorage();
    await using _server = server;
    const received = await playScript(server.port, [
      { send: storeContexts },
      { expectPdu: 0x02 },
      { send: storeRequest("../../etc/passwd") },
      { send: rest },
      { expectPdu: 0x04 },
      { send: releaseRequestPdu },
      { expectPdu: 0x06 },
    ]);
    expect(statusOf(received)).toBe(0x0117);
    expect(calls).toEqual([]);
  });

  it("cuts off a peer that connects and says nothing, and one that asks half", async () => {
    const { server } = await startStorage();
    await using _server = server;
    await playScript(server.port, [{ expectEnd: true }]);
    await playScript(server.port, [{ send: associateRequestPdu.subarray(0, 50) }, { expectEnd: true }]);
    expect(server.openAssociations).toBe(0);
  });
});
