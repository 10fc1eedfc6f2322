import { trimUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Violation } from "../upper-layer/violations.ts";
import type { Problem } from "./problems.ts";

/** Elements of group 0000, always implicit VR little endian. PS3.7 6.3.1, E.1. */
const COMMAND_ELEMENTS = {
  affectedSopClassUid: [0x0002, "UI"],
  requestedSopClassUid: [0x0003, "UI"],
  commandField: [0x0100, "US"],
  messageId: [0x0110, "US"],
  messageIdBeingRespondedTo: [0x0120, "US"],
  moveDestination: [0x0600, "AE"],
  priority: [0x0700, "US"],
  commandDataSetType: [0x0800, "US"],
  status: [0x0900, "US"],
  errorComment: [0x0902, "LO"],
  errorId: [0x0903, "US"],
  affectedSopInstanceUid: [0x1000, "UI"],
  requestedSopInstanceUid: [0x1001, "UI"],
  eventTypeId: [0x1002, "US"],
  actionTypeId: [0x1008, "US"],
  numberOfRemainingSuboperations: [0x1020, "US"],
  numberOfCompletedSuboperations: [0x1021, "US"],
  numberOfFailedSuboperations: [0x1022, "US"],
  numberOfWarningSuboperations: [0x1023, "US"],
  moveOriginatorApplicationEntityTitle: [0x1030, "AE"],
  moveOriginatorMessageId: [0x1031, "US"],
} as const;

type Elements = typeof COMMAND_ELEMENTS;
type CommandElement = keyof Elements;

/** A command set: what is absent is not in it. */
export type CommandSet = {
  readonly [E in CommandElement]?: Elements[E][1] extends "US" ? number : string;
};

/** Values of Command Field. PS3.7 E.1. Responses have bit 15 set; C-CANCEL has no response. */
export const COMMAND_FIELD = {
  "C-STORE-RQ": 0x0001,
  "C-GET-RQ": 0x0010,
  "C-FIND-RQ": 0x0020,
  "C-MOVE-RQ": 0x0021,
  "C-ECHO-RQ": 0x0030,
  "N-EVENT-REPORT-RQ": 0x0100,
  "N-ACTION-RQ": 0x0130,
  "C-CANCEL-RQ": 0x0fff,
} as const;

export const RESPONSE_BIT = 0x8000;

/** Command Data Set Type: 0101H says that no data set follows, anything else that one does. PS3.7 E.1. */
export const NO_DATA_SET = 0x0101;
export const DATA_SET_FOLLOWS = 0x0001;

/** PS3.7 9.1.1.1. */
export const PRIORITY_MEDIUM = 0x0000;

const HEADER_BYTES = 8;
const GROUP_LENGTH_BYTES = 12;

const IN_ORDER = Object.entries(COMMAND_ELEMENTS) as readonly [CommandElement, Elements[CommandElement]][];
const DECODERS: ReadonlyMap<number, readonly [CommandElement, Elements[CommandElement][1]]> = new Map(
  IN_ORDER.map(([name, [element, vr]]) => [element, [name, vr]]),
);

/** Elements in ascending order with the group length in front. Written into one buffer: each instance that is sent or taken has two of them. */
export function encodeCommandSet(command: CommandSet): Buffer {
  const elements: [element: number, vr: "UI" | "US" | "AE" | "LO", value: string | number][] = [];
  let sizeBytes = GROUP_LENGTH_BYTES;
  for (const name in command) {
    const value = command[name as CommandElement];
    if (value === undefined) continue;
    elements.push([...COMMAND_ELEMENTS[name as CommandElement], value]);
    sizeBytes += HEADER_BYTES + lengthOf(value);
  }
  const encoded = Buffer.alloc(sizeBytes);
  encoded.writeUInt32LE(4, 4);
  encoded.writeUInt32LE(sizeBytes - GROUP_LENGTH_BYTES, HEADER_BYTES);
  let at = GROUP_LENGTH_BYTES;
  for (const [element, vr, value] of elements.sort(([one], [other]) => one - other)) {
    const length = lengthOf(value);
    encoded.writeUInt16LE(element, at + 2);
    encoded.writeUInt32LE(length, at + 4);
    at += HEADER_BYTES;
    if (typeof value === "number") encoded.writeUInt16LE(value, at);
    else if (encoded.write(value, at, "latin1") < length) encoded[at + value.length] = vr === "UI" ? 0x00 : 0x20;
    at += length;
  }
  return encoded;
}

/** Even; PS3.5 6.2. */
function lengthOf(value: string | number | undefined): number {
  return typeof value === "string" ? value.length + (value.length % 2) : 2;
}

/** @throws GatewayError DIMSE_PROTOCOL_VIOLATION; elements not in the table are passed over. */
export function decodeCommandSet(bytes: Uint8Array): CommandSet {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command: Record<string, string | number> = {};
  let offset = 0;
  while (offset < buffer.length) {
    if (buffer.length - offset < 8) throw malformed("COMMAND_MALFORMED", "command set is cut short");
    const group = buffer.readUInt16LE(offset);
    const element = buffer.readUInt16LE(offset + 2);
    const length = buffer.readUInt32LE(offset + 4);
    offset += 8;
    // Orthanc puts the list of failed instances, (0008,0058), behind the command of a C-GET that failed.
    if (group !== 0 && command.commandField !== undefined) break;
    if (group !== 0) throw malformed("COMMAND_MALFORMED", "command set has a group other than 0000");
    if (length > buffer.length - offset) throw malformed("COMMAND_MALFORMED", "command element reaches past the end");
    const [name, vr] = DECODERS.get(element) ?? [];
    if (name !== undefined) command[name] = decodeValue(vr, buffer.subarray(offset, offset + length));
    offset += length;
  }
  return command as CommandSet;
}

function decodeValue(vr: string | undefined, value: Buffer): string | number {
  if (vr === "US") {
    if (value.length !== 2) throw malformed("COMMAND_MALFORMED", "command element US is not of 2 bytes");
    return value.readUInt16LE();
  }
  return trimUid(value.toString("latin1"));
}

/** A breach that the association does not survive. */
export function malformed(violation: Violation, problem: Problem): GatewayError {
  return new GatewayError("DIMSE_PROTOCOL_VIOLATION", { violation, problem });
}

/** True when the command announces a data set. */
export function hasDataSet(command: CommandSet): boolean {
  return command.commandDataSetType !== NO_DATA_SET;
}
