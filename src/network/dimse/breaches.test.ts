import { describe, expect, it } from "vitest";
import {
  associateAcceptPdu,
  associateRequestPdu,
  dataPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../../../test/peers/pdu-fixtures.ts";
import { playScript, type Step, startScriptedPeer } from "../../../test/peers/scripted-peer.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { LogFields, Logger } from "../../units/logger.ts";
import { reportViolation, type Violation, violationOf } from "../upper-layer/violations.ts";
import { VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import { open, serve } from "./testing/pair.ts";

const timeouts = { connectTimeoutMs: 2_000, artimTimeoutMs: 50, idleTimeoutMs: 2_000 };
const data = dataPdu(1, 0x03, Buffer.from("x"));
const request = [{ send: associateRequestPdu }, { expectPdu: 0x02 }] as const;
const released = [...request, { send: releaseRequestPdu }, { expectPdu: 0x06 }] as const;

/** What is logged as a warning, and counted. */
function recorder() {
  const lines: string[] = [];
  const counted: Violation[] = [];
  const line = (event: string, { remoteHost: _, ...fields }: LogFields = {}) =>
    void lines.push(`${event} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: () => {}, info: () => {}, warn: line, error: line };
  return { lines, counted, logger, onViolation: (violation: Violation) => void counted.push(violation) };
}

describe("a requestor that breaks the protocol is answered, logged once by its code, and counted:", () => {
  it.each<readonly [string, readonly Step[], number | undefined, Violation]>([
    ["garbage", [{ send: Buffer.from("GET / HTTP/1.1\r\n\r\n") }], 0x07, "PDU_TYPE_UNKNOWN"],
    ["a TLS handshake", [{ send: Uint8Array.of(22, 3, 1, 0, 2, 1, 0, 0) }], 0x07, "PDU_TYPE_UNKNOWN"],
    ["data before the request", [{ send: data }], 0x07, "PDU_UNEXPECTED"],
    ["a second request", [...request, { send: associateRequestPdu }], 0x07, "PDU_UNEXPECTED"],
    ["a length no PDU has", [...request, { send: Uint8Array.of(5, 0, 0, 0, 0, 5) }], 0x07, "PDU_LENGTH_INVALID"],
    [
      "a PDV that reaches beyond its PDU",
      [...request, { send: Uint8Array.of(4, 0, 0, 0, 0, 6, 0, 0, 0, 9, 1, 3) }],
      0x07,
      "PDV_MALFORMED",
    ],
    ["fields that do not fit", [{ send: Buffer.from(associateRequestPdu).fill(0xff, 76, 78) }], 0x07, "PDU_MALFORMED"],
    ["a context that was not accepted", [...request, { send: dataPdu(9, 0x03, data) }], 0x07, "CONTEXT_NOT_ACCEPTED"],
    ["data after its release", [...released, { send: data }], undefined, "PDU_UNEXPECTED"],
    ["a request after its release", [...released, { send: associateRequestPdu }], 0x07, "PDU_UNEXPECTED"],
  ])("%s", async (_, script, answer, violation) => {
    const { lines, counted, ...told } = recorder();
    {
      await using server = await serve({ ...told, timeouts, rules: { calledAeTitles: "any" } });
      const steps = answer === undefined ? script : [...script, { expectPdu: answer }];
      await playScript(server.port, [...steps, { expectEnd: true }]);
    }
    expect(lines).toEqual([`the peer broke the protocol {"violation":"${violation}"}`]);
    expect(counted).toEqual([violation]);
  });
});

describe("an acceptor that breaks the protocol is answered, logged once by its code, and counted:", () => {
  it.each<readonly [string, readonly Step[], Violation]>([
    ["garbage", [{ send: Buffer.from("HTTP/1.1 400 Bad\r\n\r\n") }], "PDU_TYPE_UNKNOWN"],
    ["a context never proposed", [{ send: associateAcceptPdu(3) }], "ASSOCIATION_ANSWER_INVALID"],
    [
      "a transfer syntax never proposed",
      [{ send: associateAcceptPdu(1, "1.2.840.10008.1.2.2") }],
      "ASSOCIATION_ANSWER_INVALID",
    ],
    ["a request for an association", [{ send: associateRequestPdu }], "PDU_UNEXPECTED"],
  ])("%s", async (_, answer, violation) => {
    const { lines, counted, ...told } = recorder();
    await using peer = await startScriptedPeer([{ expectPdu: 0x01 }, ...answer, { expectPdu: 0x07 }]);
    const contexts = [{ abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] }];
    await expect(open(peer, { ...told, contexts, timeouts })).rejects.toMatchObject({
      code: "DIMSE_PROTOCOL_VIOLATION",
      details: { violation },
    });
    await peer.played;
    expect(lines).toEqual([`the peer broke the protocol {"violation":"${violation}"}`]);
    expect(counted).toEqual([violation]);
  });

  it("data after the release", async () => {
    const { lines, counted, ...told } = recorder();
    const late = { send: Buffer.concat([releaseResponsePdu, data]) };
    await using peer = await startScriptedPeer([
      ...[{ expectPdu: 0x01 }, { send: associateAcceptPdu() }],
      ...[{ expectPdu: 0x05 }, late],
    ]);
    const contexts = [{ abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] }];
    await (await open(peer, { ...told, contexts, timeouts }))[Symbol.asyncDispose]();
    expect([lines.length, counted]).toEqual([1, ["PDU_UNEXPECTED"]]);
  });
});

it("a rejection, an abort and a closed connection are no breaches", async () => {
  const { lines, counted, ...told } = recorder();
  {
    await using server = await serve({ ...told, timeouts, aeTitle: parseAeTitle("OTHER") });
    await playScript(server.port, [{ send: associateRequestPdu }, { expectPdu: 0x03 }]);
    await playScript(server.port, [{ abruptly: "reset" }]);
  }
  expect([lines, counted]).toEqual([[], []]);
});

describe("the breach behind an error", () => {
  it.each([
    [new GatewayError("DIMSE_PROTOCOL_VIOLATION", { violation: "PDU_MALFORMED" }), "PDU_MALFORMED"],
    [new GatewayError("DIMSE_PROTOCOL_VIOLATION", { violation: "toString" }), undefined],
    [new GatewayError("TIMED_OUT"), undefined],
    [new Error("PDU_MALFORMED"), undefined],
  ])("of %s is %s", (error, violation) => {
    expect(violationOf(error)).toBe(violation);
  });

  it("needs nobody who listens", () => {
    expect(() => reportViolation("PDU_MALFORMED", {})).not.toThrow();
  });
});
