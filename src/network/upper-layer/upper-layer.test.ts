import { describe, expect, it } from "vitest";
import {
  abortPdu,
  associateAcceptPdu,
  associateRequestPdu,
  dataPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../../../test/peers/pdu-fixtures.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type AssociateRequest, PduError } from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import { Bench } from "./testing/bench.ts";
import type { UpperLayerTimeouts } from "./upper-layer.ts";

/** An acceptor with an association, and with these time-outs from then on. */
async function established({ idleTimeoutMs = 5_000, ...timeouts }: Partial<UpperLayerTimeouts> = {}): Promise<Bench> {
  const bench = await Bench.open("acceptor", { idleTimeoutMs });
  bench.layer.listen();
  bench.peer.write(associateRequestPdu);
  await bench.expectPdus(1);
  Object.assign(bench.timeouts, timeouts);
  return bench;
}

/** A requestor whose request is on its way. */
async function requested(): Promise<Bench> {
  const bench = await Bench.open("requestor");
  bench.layer.request(decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest);
  await bench.expectPdus(1);
  return bench;
}

describe("a peer that stays silent", () => {
  it("and never asks for an association is cut off by ARTIM", async () => {
    const bench = await Bench.open("acceptor", { artimTimeoutMs: 20 });
    bench.layer.listen();
    await bench.layer.closed;
    expect(bench.told).toEqual(["ended TIMED_OUT"]);
  });

  it("after a release request is aborted", async () => {
    const bench = await established({ artimTimeoutMs: 20 });
    bench.layer.release();
    await bench.layer.closed;
    expect([bench.takeWire(), bench.told.join()]).toEqual(["RELEASE-RQ ABORT(0,0)", "ended TIMED_OUT"]);
  });

  it("while an answer is awaited is aborted", async () => {
    const bench = await established({ artimTimeoutMs: 20, idleTimeoutMs: 30 });
    using _ = bench.layer.awaitPeer();
    await bench.layer.closed;
    expect([bench.takeWire(), bench.told.join()]).toEqual(["ABORT(0,0)", "ended TIMED_OUT"]);
  });

  it("and does not take what is sent is aborted", async () => {
    const bench = await established({ artimTimeoutMs: 20, idleTimeoutMs: 100 });
    bench.peer.pause();
    await expect(bench.layer.send([Buffer.alloc(64 * 1024 * 1024)])).rejects.toMatchObject({ code: "TIMED_OUT" });
    bench.peer.destroy();
    await bench.layer.closed;
  });

  it("as we abort is not waited for", async () => {
    const bench = await established({ artimTimeoutMs: 600_000 });
    bench.layer.abort(new GatewayError("CANCELLED"));
    await bench.layer.closed;
    expect([bench.takeWire(), bench.told.join()]).toEqual(["ABORT(0,0)", "ended CANCELLED"]);
  });

  it("and closes its side without taking what is sent is not waited for", async () => {
    const bench = await established({ artimTimeoutMs: 600_000, idleTimeoutMs: 600_000 });
    bench.peer.pause();
    const sending = bench.layer.send([Buffer.alloc(64 * 1024 * 1024)]);
    bench.peer.end();
    await expect(sending).rejects.toMatchObject({ code: "ASSOCIATION_ABORTED" });
    bench.peer.destroy();
    await bench.layer.closed;
  });

  it.each([
    ["after a release", releaseRequestPdu],
    ["after a breach of the protocol", associateRequestPdu],
  ])("and keeps the connection open %s is cut off by ARTIM", async (_, pdu) => {
    const bench = await established({ artimTimeoutMs: 20 });
    bench.peer.write(pdu);
    await bench.layer.closed;
    expect(bench.told).toHaveLength(1);
  });
});

it("refuses a peer that speaks no protocol version we know", async () => {
  const bench = await Bench.open("acceptor");
  bench.layer.listen();
  const otherVersion = Buffer.from(associateRequestPdu);
  // Protocol version: bytes 7 and 8. PS3.8 9.3.2.
  otherVersion.writeUInt16BE(0x0002, 6);
  bench.peer.write(otherVersion);
  await bench.close();
  expect([bench.takeWire(), bench.told.join()]).toEqual(["RJ", "ended ASSOCIATION_REJECTED"]);
});

/** PS3.8 9.3.8, table 9-26: the reason of the abort, and the code under which the breach is counted. */
describe("a PDU that breaks the protocol is answered and counted:", () => {
  it.each<readonly [string, Uint8Array, string, string]>([
    ["of an unknown type", Uint8Array.of(0x08, 0, 0, 0, 0, 4, 0, 0, 0, 0), "ABORT(2,1)", "PDU_TYPE_UNKNOWN"],
    ["of another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "ABORT(2,1)", "PDU_TYPE_UNKNOWN"],
    ["of a wrong length", Uint8Array.of(0x05, 0, 0, 0, 0, 5), "ABORT(2,6)", "PDU_LENGTH_INVALID"],
    ["larger than we announced", Uint8Array.of(0x04, 0, 0, 0, 0x40, 0x0d), "ABORT(2,6)", "PDU_LENGTH_INVALID"],
    [
      "with a PDV longer than itself",
      Uint8Array.of(4, 0, 0, 0, 0, 9, 0, 0, 0, 99, 1, 3),
      "ABORT(2,6)",
      "PDV_MALFORMED",
    ],
    ["with a PDV of length 1", Uint8Array.of(4, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1, 3), "ABORT(2,6)", "PDV_MALFORMED"],
    [
      "with a rest too short for a PDV",
      Uint8Array.of(4, 0, 0, 0, 0, 9, 0, 0, 0, 2, 1, 3, 0, 0, 0),
      "ABORT(2,6)",
      "PDV_MALFORMED",
    ],
    ["out of place", associateAcceptPdu(), "ABORT(2,2)", "PDU_UNEXPECTED"],
    ["that asks for a second association", associateRequestPdu, "ABORT(2,2)", "PDU_UNEXPECTED"],
    // The length of the application context item.
    ["whose fields reach beyond it", associateAcceptPdu().fill(0xff, 76, 78), "ABORT(2,6)", "PDU_MALFORMED"],
  ])("%s", async (_, bytes, wire, violation) => {
    const bench = await established();
    bench.peer.write(bytes);
    await bench.expectTold();
    await bench.close();
    expect([bench.takeWire(), bench.violations]).toEqual([wire, [violation]]);
  });

  it("an answer that the user does not accept", async () => {
    const bench = await requested();
    bench.onAccepted = () => {
      throw new PduError(5, "another answer", "ASSOCIATION_ANSWER_INVALID");
    };
    bench.peer.write(associateAcceptPdu());
    await bench.expectTold();
    await bench.close();
    expect([bench.takeWire(), bench.violations]).toEqual(["ABORT(2,5)", ["ASSOCIATION_ANSWER_INVALID"]]);
  });
});

describe("what comes when all is over", () => {
  const late = dataPdu(1, 0x03, Buffer.from("x"));

  it.each<readonly [string, Uint8Array, string]>([
    ["data after its release request", Buffer.concat([releaseRequestPdu, late]), "PDU_UNEXPECTED"],
    ["a release request after its abort", Buffer.concat([abortPdu(0, 0), releaseRequestPdu]), "PDU_UNEXPECTED"],
    [
      "garbage after its release request",
      Buffer.concat([releaseRequestPdu, Buffer.from("GET / HTTP/1.1")]),
      "PDU_TYPE_UNKNOWN",
    ],
  ])("is counted once, however often it comes: %s", async (_, bytes, violation) => {
    const bench = await established();
    bench.peer.write(Buffer.concat([bytes, ...new Array(3).fill(late)]));
    await bench.expectTold();
    await bench.close();
    expect([bench.told, bench.violations]).toEqual([[], [violation]]);
  });

  it("is counted after our own release, too", async () => {
    const bench = await requested();
    bench.peer.write(associateAcceptPdu());
    await bench.expectTold();
    bench.layer.release();
    bench.peer.write(Buffer.concat([releaseResponsePdu, late]));
    await bench.close();
    expect([bench.told, bench.violations]).toEqual([["ended in order"], ["PDU_UNEXPECTED"]]);
  });

  it("is no breach when it was under way as we aborted", async () => {
    const bench = await established();
    bench.peer.write(associateRequestPdu);
    await bench.expectTold();
    bench.peer.write(late);
    await bench.close();
    expect([bench.takeWire(), bench.violations]).toEqual(["ABORT(2,2)", ["PDU_UNEXPECTED"]]);
  });

  it("gets no further abort while the peer does not read the one before", async () => {
    const bench = await established();
    // As if the peer's window were full.
    bench.socket.cork();
    bench.peer.write(Buffer.concat([associateRequestPdu, associateRequestPdu, associateRequestPdu]));
    await bench.expectTold();
    await new Promise(setImmediate);
    expect(bench.socket.writableLength).toBe(abortPdu(2, 2).length);
    bench.socket.uncork();
    await bench.close();
    expect(bench.takeWire()).toBe("ABORT(2,2)");
  });

  it("gets an abort each time it is an association request, as long as the peer reads", async () => {
    const bench = await established();
    for (const _ of [1, 2, 3]) {
      bench.peer.write(associateRequestPdu);
      await bench.expectPdus(1);
    }
    await bench.close();
    expect([bench.told, bench.violations]).toEqual([["ended DIMSE_PROTOCOL_VIOLATION"], ["PDU_UNEXPECTED"]]);
  });
});
