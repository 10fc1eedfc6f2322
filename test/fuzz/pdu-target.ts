import { deepStrictEqual, ok } from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { COMMAND_FIELD, encodeCommandSet, NO_DATA_SET, RESPONSE_BIT } from "../../src/network/dimse/command-set.ts";
import { VERIFICATION_SOP_CLASS } from "../../src/network/dimse/service-classes.ts";
import { ServiceProvider } from "../../src/network/dimse/service-provider.ts";
import { DimseSession, RELEASED } from "../../src/network/dimse/session.ts";
import { decideAssociation, proposeAssociation } from "../../src/network/upper-layer/negotiation.ts";
import { PduError } from "../../src/network/upper-layer/pdu.ts";
import { decodePdu } from "../../src/network/upper-layer/pdu-decoder.ts";
import { encodePdu } from "../../src/network/upper-layer/pdu-encoder.ts";
import { PduReader } from "../../src/network/upper-layer/pdu-reader.ts";
import { type Violation, violationOf } from "../../src/network/upper-layer/violations.ts";
import { silentLogger } from "../../src/units/logger.ts";
import type { Random } from "../../src/units/random.ts";
import {
  abortPdu,
  associateAcceptPdu,
  associateRejectPdu,
  associateRequestPdu,
  dataPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../peers/pdu-fixtures.ts";
import type { FuzzSeed, FuzzTarget } from "./target.ts";

const ct = "1.2.840.10008.5.1.4.1.1.2";
const implicit = "1.2.840.10008.1.2";
const instanceUid = "1.2.826.0.1.3680043.9.9999.1";
/** SOP Class UID, SOP Instance UID and Pixel Data in implicit VR little endian: group, element, length, value. PS3.5 7.1.3. */
const dataSet = Buffer.concat([
  ...[Buffer.of(8, 0, 0x16, 0, 26, 0, 0, 0), Buffer.from(`${ct}\0`)],
  ...[Buffer.of(8, 0, 0x18, 0, 28, 0, 0, 0), Buffer.from(instanceUid)],
  ...[Buffer.of(0xe0, 0x7f, 0x10, 0, 128, 0, 0, 0), Buffer.alloc(128)],
]);
const maximumPduLength = 16_384;
const timeouts = { connectTimeoutMs: 2_000, artimTimeoutMs: 2_000, idleTimeoutMs: 2_000 };
/** What an association may end with when the peer sends damaged bytes and closes. */
const ENDINGS: ReadonlySet<string> = new Set([
  "ASSOCIATION_ABORTED",
  "ASSOCIATION_REJECTED",
  "ASSOCIATION_REJECTED_TRANSIENT",
  "CALLED_AE_TITLE_UNKNOWN",
  "CALLING_AE_TITLE_UNKNOWN",
  "DIMSE_PROTOCOL_VIOLATION",
  "USER_NOT_CONFIRMED",
]);

/** The PDU reader alone, whole and in pieces, and then an association that gets the bytes from its peer. */
export const pduTarget: FuzzTarget = {
  name: "pdu",
  seeds: async () => [...requestorStreams(), ...acceptorStreams()],
  run: async (input, random) => {
    const [whole, inPieces] = [meaningOf([input]), meaningOf(pieces(input, random))];
    deepStrictEqual(inPieces, whole, "another cut");
    return await associate(input, random);
  },
};

/** What requestors send, from the request to the release. */
function requestorStreams(): readonly FuzzSeed[] {
  const titles = { calledAeTitle: "CALLED", callingAeTitle: "CALLING" };
  const contexts = [
    { abstractSyntaxUid: ct, transferSyntaxUids: [implicit, "1.2.840.10008.1.2.1"], role: "both" },
    { abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [implicit] },
  ] as const;
  const request = proposeAssociation(titles, contexts, maximumPduLength, {
    userIdentity: {
      kind: "username-passcode",
      username: "reader",
      passcode: "secret",
      positiveResponseRequested: true,
    },
    extendedNegotiation: new Map([[ct, Uint8Array.of(2, 0, 0, 0, 0, 0)]]),
  });
  const common = { sopClassUid: ct, serviceClassUid: "1.2.840.10008.4.2", relatedGeneralSopClassUids: ["1.2", "1.3"] };
  const userInformation = { ...request.userInformation, commonExtendedNegotiations: [common] };
  const full = encodePdu({ ...request, userInformation });
  const store = dataPdu(1, 0x03, encodeCommandSet(storeRequest(instanceUid)));
  const data = [dataPdu(1, 0x00, dataSet.subarray(0, 100)), dataPdu(1, 0x02, dataSet.subarray(100))];
  const echo = dataPdu(3, 0x03, encodeCommandSet({ ...echoRequest, messageId: 2 }));
  return [
    { name: "store and echo", bytes: Buffer.concat([full, store, ...data, echo, releaseRequestPdu]) },
    { name: "request and abort", bytes: Buffer.concat([associateRequestPdu, abortPdu(0, 0)]) },
    { name: "request", bytes: full },
  ];
}

/** What acceptors send. */
function acceptorStreams(): readonly FuzzSeed[] {
  const answer = {
    commandField: COMMAND_FIELD["C-ECHO-RQ"] | RESPONSE_BIT,
    messageIdBeingRespondedTo: 1,
    commandDataSetType: NO_DATA_SET,
    status: 0x0000,
  };
  const echoed = dataPdu(1, 0x03, encodeCommandSet(answer));
  return [
    { name: "accept, echo, release", bytes: Buffer.concat([associateAcceptPdu(), echoed, releaseResponsePdu]) },
    { name: "reject", bytes: associateRejectPdu(1, 1, 7) },
  ];
}

const echoRequest = {
  affectedSopClassUid: VERIFICATION_SOP_CLASS,
  commandField: COMMAND_FIELD["C-ECHO-RQ"],
  commandDataSetType: NO_DATA_SET,
};

function storeRequest(affectedSopInstanceUid: string) {
  return {
    affectedSopClassUid: ct,
    commandField: COMMAND_FIELD["C-STORE-RQ"],
    messageId: 1,
    priority: 0,
    commandDataSetType: 1,
    affectedSopInstanceUid,
  };
}

/** Now and then the first PDU is a piece by itself, so that the other side can act on it before the rest comes. */
function* pieces(input: Uint8Array, random: Random): Generator<Uint8Array, undefined> {
  const first = input.length < 6 || random.next() < 0.5 ? 0 : 6 + Buffer.from(input).readUInt32BE(2);
  for (let offset = 0; offset < input.length; ) {
    const length = offset === 0 && first > 0 ? first : 1 + Math.floor(random.next() ** 3 * 4_096);
    yield input.subarray(offset, offset + length);
    offset += length;
  }
}

/** What the reader tells of a stream, fragments joined. PDUs that it accepts are the same when encoded and read again. */
function meaningOf(chunks: Iterable<Uint8Array>): readonly string[] {
  const told: string[] = [];
  let fragment = "";
  const reader = new PduReader(maximumPduLength, {
    pdu: (pdu) => {
      told.push(JSON.stringify(pdu));
      const again = encodePdu(pdu);
      deepStrictEqual(decodePdu(again[0] ?? 0, again.subarray(6)), pdu, "encoded and read again");
    },
    dataPdu: () => told.push("P-DATA-TF"),
    fragment: ({ contextId, command, last, bytes }) => {
      fragment += Buffer.from(bytes).toString("hex");
      if (last) told.push(`${contextId} ${command} ${fragment}`);
      if (last) fragment = "";
    },
    invalid: (error) => {
      ok(error instanceof PduError);
      ok(!told.includes("invalid"), "told twice that it is invalid");
      told.push("invalid", error.violation, fragment);
    },
  });
  for (const chunk of chunks) reader.push(chunk);
  return told;
}

let connections = 0;

/** An association whose peer sends the bytes, reads what comes, and closes. Resolves with how it ended. */
async function associate(input: Uint8Array, random: Random): Promise<string> {
  connections += 1;
  const path = join(tmpdir(), `radferry-fuzz-${process.pid}-${connections}`);
  const server = createServer().listen(path);
  await once(server, "listening");
  const peer = connect(path);
  const [[socket]] = await Promise.all([once(server, "connection"), once(peer, "connect")]);
  server.close();
  const violations: Violation[] = [];
  const session =
    input[0] === 0x02 || input[0] === 0x03 ? requestorOn(socket, violations) : acceptorOn(socket, violations);
  await converse(peer, input, random);
  await session.closed;
  return judge(session, violations);
}

async function converse(peer: Socket, input: Uint8Array, random: Random): Promise<void> {
  const closed = new Promise((resolve) => peer.once("close", resolve));
  // Whatever is sent to it, the peer must be able to read.
  const reader = new PduReader(0, {
    pdu: () => {},
    dataPdu: () => {},
    fragment: () => {},
    invalid: (error) => {
      throw error;
    },
  });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  peer.on("error", () => peer.destroy());
  peer.on("data", (chunk) => {
    try {
      reader.push(chunk);
    } catch (error) {
      failed.reject(error);
    }
  });
  for (const piece of pieces(input, random)) {
    if (peer.writable) peer.write(piece);
    for (let turns = Math.floor(random.next() * 4); turns > 0; turns -= 1) await new Promise(setImmediate);
  }
  peer.end();
  await Promise.race([closed, failed.promise]);
}

function acceptorOn(socket: Socket, violations: Violation[]): DimseSession {
  const provider = new ServiceProvider({
    handlers: { store: async () => ({ write: () => {}, close: async () => 0x0000, abort: async () => {} }) },
    aeTitle: parseAeTitle("CALLED"),
    timeouts,
    logger: silentLogger,
    onQuiet: () => {},
  });
  const session: DimseSession = new DimseSession({
    socket,
    timeouts,
    maximumPduLength,
    violations: { onViolation: (violation) => violations.push(violation) },
    negotiation: {
      decide: (request) => {
        provider.begin(session);
        return decideAssociation(request, {
          maximumPduLength,
          refusal: () => undefined,
          roles: () => ({ scu: true, scp: true }),
          chooseTransferSyntax: (_, [first]) => first,
          confirmsUsers: true,
        });
      },
    },
    onRequest: (_, message) => provider.onRequest(session, message),
  });
  return session;
}

function requestorOn(socket: Socket, violations: Violation[]): DimseSession {
  const titles = { calledAeTitle: "CALLED", callingAeTitle: "CALLING" };
  const context = { abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [implicit] };
  const session = new DimseSession({
    socket,
    timeouts,
    maximumPduLength,
    violations: { onViolation: (violation) => violations.push(violation) },
    negotiation: { request: proposeAssociation(titles, [context], maximumPduLength) },
    onRequest: () => undefined,
  });
  const echoed = session.established.then(() =>
    session.request({ contextId: 1, service: "C-ECHO", command: echoRequest }),
  );
  echoed.then(
    () => session.release(),
    () => session.abort(new GatewayError("CANCELLED")),
  );
  return session;
}

function judge({ signal }: DimseSession, violations: readonly Violation[]): string {
  const error: unknown = signal.reason;
  ok(signal.aborted, "the association has not ended");
  ok(error instanceof GatewayError && ENDINGS.has(error.code), String(error));
  const violation = violationOf(error);
  ok((violation !== undefined) === (error.code === "DIMSE_PROTOCOL_VIOLATION"), "a breach without a code");
  if (violation !== undefined) ok(violations.includes(violation), `${violation} was not counted`);
  return error.details.by === RELEASED ? "released" : (violation ?? error.code);
}
