import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import {
  type CommandSet,
  decodeCommandSet,
  encodeCommandSet,
  NO_DATA_SET,
  RESPONSE_BIT,
} from "../src/network/dimse/command-set.ts";
import { type AssociateRequest, CONTEXT_RESULT } from "../src/network/upper-layer/pdu.ts";
import { encodeDataHeader, encodePdu } from "../src/network/upper-layer/pdu-encoder.ts";
import { PduReader } from "../src/network/upper-layer/pdu-reader.ts";

/**
 * `null-sink-main.ts PORT`: accepts whatever is proposed, drops whatever is stored, answers each C-STORE with success at once. Prints
 * a line for each association that was released: when it was requested and when its release was, and how many instances came.
 */
const [port = ""] = process.argv.slice(2);
const MAXIMUM_PDU_LENGTH = 131_072;
const SUCCESS = 0x0000;

function accept(request: AssociateRequest): Buffer {
  return encodePdu({
    ...request,
    kind: "A-ASSOCIATE-AC",
    contexts: request.contexts.map(({ id, transferSyntaxUids: [first = EXPLICIT_VR_LITTLE_ENDIAN, ...others] }) => ({
      id,
      result: CONTEXT_RESULT.acceptance,
      transferSyntaxUid: others.includes(EXPLICIT_VR_LITTLE_ENDIAN) ? EXPLICIT_VR_LITTLE_ENDIAN : first,
    })),
    userInformation: { ...request.userInformation, maximumPduLength: MAXIMUM_PDU_LENGTH, roleSelections: [] },
  });
}

function storeAnswer(
  contextId: number,
  { affectedSopClassUid = "", commandField = 0, ...request }: CommandSet,
): Buffer {
  const command = encodeCommandSet({
    affectedSopClassUid,
    commandField: commandField | RESPONSE_BIT,
    messageIdBeingRespondedTo: request.messageId ?? 0,
    commandDataSetType: NO_DATA_SET,
    status: SUCCESS,
    affectedSopInstanceUid: request.affectedSopInstanceUid ?? "",
  });
  return Buffer.concat([encodeDataHeader(contextId, command.length, { command: true, last: true }), command]);
}

async function serve(socket: Socket): Promise<void> {
  let startedAtMs = 0;
  let endedAtMs = 0;
  let instances = 0;
  let command: Buffer[] = [];
  const reader = new PduReader(MAXIMUM_PDU_LENGTH, {
    pdu(pdu) {
      if (pdu.kind === "A-ASSOCIATE-RQ") {
        startedAtMs = performance.now();
        socket.write(accept(pdu));
      } else if (pdu.kind === "A-RELEASE-RQ") {
        endedAtMs = performance.now();
        socket.end(encodePdu({ kind: "A-RELEASE-RP" }));
      } else socket.destroy();
    },
    dataPdu() {},
    fragment(fragment) {
      if (fragment.command) command.push(Buffer.from(fragment.bytes));
      else if (fragment.last) {
        socket.write(storeAnswer(fragment.contextId, decodeCommandSet(Buffer.concat(command))));
        command = [];
        instances += 1;
      }
    },
    invalid: (error) => socket.destroy(error),
  });
  socket.on("data", (chunk: Buffer) => void reader.push(chunk));
  await once(socket, "close");
  if (endedAtMs > 0) process.stdout.write(`${JSON.stringify({ startedAtMs, endedAtMs, instances })}\n`);
}

const server = createServer({ noDelay: true }, (socket) => void serve(socket)).listen(Number(port), "127.0.0.1");
await once(server, "listening");
