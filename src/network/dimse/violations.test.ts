import { describe, expect, it } from "vitest";
import { memoryArchive, memoryStore } from "../../../test/peers/memory-archive.ts";
import { dataPdu, releaseRequestPdu } from "../../../test/peers/pdu-fixtures.ts";
import { playScript, type Step } from "../../../test/peers/scripted-peer.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, textElement } from "../../dicom/values.ts";
import { type LogFields, type Logger, silentLogger } from "../../units/logger.ts";
import { proposeAssociation } from "../upper-layer/negotiation.ts";
import { encodePdu } from "../upper-layer/pdu-encoder.ts";
import type { Violation } from "../upper-layer/violations.ts";
import { COMMAND_FIELD, type CommandSet, encodeCommandSet, NO_DATA_SET } from "./command-set.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import { ct, objects, open, ours, serve } from "./testing/pair.ts";
import { type ScriptedRequest, startScriptedProvider } from "./testing/scripted-provider.ts";

const { find } = QUERY_RETRIEVE_SOP_CLASSES["study-root"];

/** Contexts 1: verification, 3: C-FIND, 5: CT storage. */
const begin: readonly Step[] = [
  {
    send: encodePdu(
      proposeAssociation(
        { calledAeTitle: "ARCHIVE", callingAeTitle: "LIAR" },
        [VERIFICATION_SOP_CLASS, find, ct].map((abstractSyntaxUid) => ({
          abstractSyntaxUid,
          transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN],
        })),
        16_384,
      ),
    ),
  },
  { expectPdu: 0x02 },
];
const [VERIFICATION, FIND, STORAGE, NEVER_PROPOSED] = [1, 3, 5, 9];
/** Message control headers. PS3.8 E.2. */
const COMMAND = 0x01;
const LAST = 0x02;

function command(contextId: number, set: CommandSet): Uint8Array {
  return dataPdu(contextId, COMMAND | LAST, encodeCommandSet(set));
}

const echo: CommandSet = {
  affectedSopClassUid: VERIFICATION_SOP_CLASS,
  commandField: COMMAND_FIELD["C-ECHO-RQ"],
  messageId: 1,
  commandDataSetType: NO_DATA_SET,
};
const store: CommandSet = {
  affectedSopClassUid: ct,
  commandField: COMMAND_FIELD["C-STORE-RQ"],
  messageId: 1,
  priority: 0,
  commandDataSetType: 1,
  affectedSopInstanceUid: "1.2.3.4",
};
const { messageId: _, ...withoutMessageId } = echo;
const { commandField: __, ...withoutCommandField } = echo;
const bytes = encodeCommandSet(echo);
/** (0008,0005), a group that no command set has: tag, length 0. */
const otherGroup = Buffer.from([0x08, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00]);
const someData = dataPdu(STORAGE, LAST, Buffer.alloc(10));

/** Plays a peer that misbehaves; which breaches were told, and which were logged. */
async function breachesOf(steps: readonly Step[]) {
  const told: Violation[] = [];
  const logged: LogFields[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (_event, fields = {}) => {
      logged.push(fields);
    },
  };
  await using server = await serve({
    handlers: { ...memoryArchive(objects), store: memoryStore().handler },
    onViolation: (violation) => told.push(violation),
    logger,
  });
  const received = await playScript(server.port, [...begin, ...steps]);
  return { told, logged: logged.flatMap(({ violation }) => violation ?? []), received };
}

describe("a peer of our provider", () => {
  it.each<readonly [string, readonly Uint8Array[], Violation]>([
    ["sends on a context never proposed", [command(NEVER_PROPOSED, echo)], "CONTEXT_NOT_ACCEPTED"],
    [
      "goes to another context within a message",
      [dataPdu(VERIFICATION, COMMAND, bytes.subarray(0, 10)), dataPdu(FIND, COMMAND | LAST, bytes.subarray(10))],
      "CONTEXT_NOT_ACCEPTED",
    ],
    ["sends a data set without a command", [someData], "DATA_SET_OUT_OF_PLACE"],
    ["sends a command within a data set", [command(STORAGE, store), command(STORAGE, store)], "COMMAND_OUT_OF_PLACE"],
    [
      "cuts a command set short",
      [dataPdu(VERIFICATION, COMMAND | LAST, bytes.subarray(0, bytes.length - 1))],
      "COMMAND_MALFORMED",
    ],
    [
      "puts another group in front of a command",
      [dataPdu(VERIFICATION, COMMAND | LAST, Buffer.concat([otherGroup, bytes]))],
      "COMMAND_MALFORMED",
    ],
    ["sends a command without its field", [command(VERIFICATION, withoutCommandField)], "COMMAND_MALFORMED"],
    ["sends a request without its message id", [command(VERIFICATION, withoutMessageId)], "COMMAND_MALFORMED"],
    [
      "sends a command that does not end",
      Array.from({ length: 5 }, () => dataPdu(VERIFICATION, COMMAND, Buffer.alloc(16_000))),
      "LIMIT_EXCEEDED",
    ],
    [
      "sends a command in empty pieces without end",
      Array.from({ length: 1_025 }, () => dataPdu(VERIFICATION, COMMAND, Buffer.alloc(0))),
      "LIMIT_EXCEEDED",
    ],
    [
      "asks with an identifier that does not end",
      [
        command(FIND, { ...store, commandField: COMMAND_FIELD["C-FIND-RQ"] }),
        ...Array.from({ length: 1_050 }, () => dataPdu(FIND, 0, Buffer.alloc(16_000))),
      ],
      "LIMIT_EXCEEDED",
    ],
    ["answers what nobody asked", [command(VERIFICATION, { ...echo, commandField: 0x8030 })], "RESPONSE_MALFORMED"],
  ])("that %s is cut off; it is logged and told once", async (_, pdus, violation) => {
    const { told, logged } = await breachesOf([...pdus.map((send) => ({ send })), { expectPdu: 0x07 }]);
    expect([told, logged]).toEqual([[violation], [violation]]);
  });

  it.each<readonly [string, readonly Uint8Array[], number, Violation]>([
    [
      "asks C-FIND on a storage context",
      [command(STORAGE, { ...store, commandField: COMMAND_FIELD["C-FIND-RQ"] }), someData],
      0x0211,
      "COMMAND_OUT_OF_PLACE",
    ],
    [
      "asks C-FIND without identifier",
      [command(FIND, { ...echo, commandField: 0x0020 })],
      0x0211,
      "COMMAND_OUT_OF_PLACE",
    ],
    [
      "asks C-STORE on a query context",
      [command(FIND, store), dataPdu(FIND, LAST, Buffer.alloc(10))],
      0x0122,
      "COMMAND_OUT_OF_PLACE",
    ],
    [
      "asks C-STORE without a data set",
      [command(STORAGE, { ...store, commandDataSetType: NO_DATA_SET })],
      0x0122,
      "COMMAND_OUT_OF_PLACE",
    ],
    [
      "asks for a service that there is not",
      [command(VERIFICATION, { ...echo, commandField: 0x0150 })],
      0x0211,
      "COMMAND_OUT_OF_PLACE",
    ],
    [
      "reports a commitment that nobody asked for",
      [command(VERIFICATION, { ...echo, commandField: COMMAND_FIELD["N-EVENT-REPORT-RQ"] })],
      0x0211,
      "COMMAND_OUT_OF_PLACE",
    ],
  ])("that %s is answered, logged and told, and goes on", async (_, pdus, status, violation) => {
    const goesOn: readonly Step[] = [
      { expectPdu: 0x04 },
      { send: command(VERIFICATION, { ...echo, messageId: 2 }) },
      { expectPdu: 0x04 },
      { send: releaseRequestPdu },
      { expectPdu: 0x06 },
    ];
    const { told, logged, received } = await breachesOf([...pdus.map((send) => ({ send })), ...goesOn]);
    const [answer, echoed] = received.filter(([type]) => type === 0x04).map(statusOf);
    expect([told, logged, answer, echoed]).toEqual([[violation], [violation], status, 0x0000]);
  });
});

/** Status (0000,0900) US: tag, length 2, value. */
function statusOf(pdu: Buffer): number {
  return pdu.readUInt16LE(pdu.indexOf(Buffer.of(0, 0, 0, 9, 2, 0, 0, 0)) + 8);
}

describe("a provider that we ask", () => {
  const identifier = dataSetOf([textElement(tags.QueryRetrieveLevel, "STUDY", "CS")]);
  it.each<readonly [string, (request: ScriptedRequest) => Promise<void>, Violation]>([
    [
      "gives a match without identifier",
      ({ session, message }) => session.respond(message, { status: 0xff00 }),
      "DATA_SET_OUT_OF_PLACE",
    ],
    [
      "answers another request",
      ({ session, message }) =>
        session.respond({ ...message, command: { ...message.command, messageId: 77 } }, { status: 0x0000 }),
      "RESPONSE_MALFORMED",
    ],
    [
      "answers as another service",
      ({ session, message }) =>
        session.respond({ ...message, command: { ...message.command, commandField: 0x0021 } }, { status: 0x0000 }),
      "RESPONSE_MALFORMED",
    ],
    [
      "answers without status",
      ({ session, message }) =>
        session.send(message.contextId, {
          commandField: 0x8020,
          messageIdBeingRespondedTo: message.command.messageId ?? 0,
        }),
      "RESPONSE_MALFORMED",
    ],
  ])("and that %s is cut off, and told once", async (_, onRequest, violation) => {
    const told: Violation[] = [];
    await using archive = await startScriptedProvider({ onRequest });
    await using association = await open(archive, {
      callingAeTitle: ours,
      onViolation: (one) => told.push(one),
    });
    await expect(Array.fromAsync(association.find({ model: "study-root", identifier }))).rejects.toMatchObject({
      code: "DIMSE_PROTOCOL_VIOLATION",
      details: { violation },
    });
    expect(told).toEqual([violation]);
    expect(await archive.ended).toMatchObject({ code: "ASSOCIATION_ABORTED" });
  });
});
