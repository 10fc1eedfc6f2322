import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  COMMAND_FIELD,
  DATA_SET_FOLLOWS,
  decodeCommandSet,
  encodeCommandSet,
} from "../src/network/dimse/command-set.ts";
import { fragmentBytesFor } from "../src/network/dimse/message-writer.ts";
import { proposeAssociation } from "../src/network/upper-layer/negotiation.ts";
import { PDU_HEADER_BYTES, PDV_HEADER_BYTES } from "../src/network/upper-layer/pdu.ts";
import { decodePdu } from "../src/network/upper-layer/pdu-decoder.ts";
import { encodeDataHeader, encodePdu } from "../src/network/upper-layer/pdu-encoder.ts";
import { type ObjectSet, objectSet, SET_NAMES, type SetObject } from "./sets.ts";

/**
 * `replay-sender-main.ts PORT AET SET [AT-MOST]`: sends a set over one association to this machine, one C-STORE after the other, and prints
 * how long it took from the first request to the last answer. The PDUs of the pixels are laid out once and sent again for each object,
 * so that the sender costs next to nothing and the receiver decides.
 */
const [port = "", calledAeTitle = "", setName = "", atMost = "Infinity"] = process.argv.slice(2);

/** Asked for by us; the receiver sends only short answers. */
const MAXIMUM_PDU_LENGTH = 16_384;
const CONTEXT_ID = 1;
const SUCCESS = 0x0000;

interface Reader {
  /** Exactly so many bytes. */
  take(count: number): Promise<Buffer>;
}

function readerOf(socket: Socket): Reader {
  let held: Buffer = Buffer.alloc(0);
  let wake = (): void => {};
  socket.on("data", (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    wake();
  });
  const ended = new Promise<never>((_, reject) => {
    socket.on("close", () => reject(new Error("the receiver closed the connection")));
  });
  ended.catch(() => {});
  return {
    async take(count) {
      while (held.length < count) {
        const more = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([more, ended]);
      }
      const taken = held.subarray(0, count);
      held = held.subarray(count);
      return taken;
    },
  };
}

async function readPdu(reader: Reader): Promise<{ readonly type: number; readonly body: Buffer }> {
  const header = Buffer.from(await reader.take(PDU_HEADER_BYTES));
  return { type: header.readUInt8(0), body: await reader.take(header.readUInt32BE(2)) };
}

/** The PDUs of the shared pixels, one after the other. */
function pixelPdus(pixels: Uint8Array, fragmentBytes: number): Buffer {
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < pixels.length; offset += fragmentBytes) {
    const fragment = pixels.subarray(offset, offset + fragmentBytes);
    const last = offset + fragment.length === pixels.length;
    parts.push(encodeDataHeader(CONTEXT_ID, fragment.length, { command: false, last }), fragment);
  }
  return Buffer.concat(parts);
}

function requestPdus({ sopClassUid, sopInstanceUid, header }: SetObject, messageId: number): Buffer {
  const command = encodeCommandSet({
    affectedSopClassUid: sopClassUid,
    commandField: COMMAND_FIELD["C-STORE-RQ"],
    messageId,
    priority: 0,
    commandDataSetType: DATA_SET_FOLLOWS,
    affectedSopInstanceUid: sopInstanceUid,
  });
  return Buffer.concat([
    encodeDataHeader(CONTEXT_ID, command.length, { command: true, last: true }),
    command,
    encodeDataHeader(CONTEXT_ID, header.length, { command: false, last: false }),
    header,
  ]);
}

async function associate(socket: Socket, reader: Reader, set: ObjectSet): Promise<number> {
  const [object] = set.objects;
  if (object === undefined) throw new Error("the set is empty");
  const proposals = [{ abstractSyntaxUid: object.sopClassUid, transferSyntaxUids: [set.transferSyntaxUid] }];
  const titles = { calledAeTitle, callingAeTitle: "BENCH" };
  socket.write(encodePdu(proposeAssociation(titles, proposals, MAXIMUM_PDU_LENGTH)));
  const { type, body } = await readPdu(reader);
  const answer = decodePdu(type, body);
  if (answer.kind !== "A-ASSOCIATE-AC") throw new Error(`the receiver answered ${answer.kind}`);
  return answer.userInformation.maximumPduLength;
}

async function readStatus(reader: Reader): Promise<number | undefined> {
  const { body } = await readPdu(reader);
  return decodeCommandSet(body.subarray(PDV_HEADER_BYTES)).status;
}

async function main(): Promise<void> {
  const name = SET_NAMES.find((each) => each === setName);
  if (name === undefined) throw new Error(`no set ${setName}`);
  const set = objectSet(name, Number(atMost));
  const socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
  await once(socket, "connect");
  const reader = readerOf(socket);
  const pixels = pixelPdus(set.pixels, fragmentBytesFor(await associate(socket, reader, set)));
  const requests = set.objects.map((object, index) => requestPdus(object, index + 1));
  const startedAtMs = performance.now();
  for (const request of requests) {
    socket.cork();
    socket.write(request);
    socket.write(pixels);
    socket.uncork();
    const status = await readStatus(reader);
    if (status !== SUCCESS) throw new Error(`the receiver answered with status ${status}`);
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  socket.end(encodePdu({ kind: "A-RELEASE-RQ" }));
  await once(socket, "close");
  process.stdout.write(`${JSON.stringify({ seconds })}\n`);
}

await main();
