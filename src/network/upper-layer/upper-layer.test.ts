import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import {
  abortPdu,
  associateAcceptPdu,
  associateRejectPdu,
  associateRequestPdu,
  dataPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../../../test/peers/pdu-fixtures.ts";
import type { GatewayError } from "../../errors/gateway-error.ts";
import type { AssociateAccept, AssociateRequest } from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import { UpperLayer } from "./upper-layer.ts";

const request = decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest;
const accept = decodePdu(0x02, associateAcceptPdu().subarray(6)) as AssociateAccept;

/** The two ends of one loopback connection. */
async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connecting = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[accepted]] = await Promise.all([once(server, "connection"), once(connecting, "connect")]);
  server.close();
  return [connecting, accepted as Socket];
}

/** An upper layer under test, and the raw socket of its peer. */
class Bench {
  readonly layer: UpperLayer;
  readonly peer: Socket;
  readonly told: string[] = [];
  readonly #wire: string[] = [];
  #pending = Buffer.alloc(0);
  #arrived: (() => void) | undefined;

  static async open(role: "requestor" | "acceptor", artimTimeoutMs = 5_000, idleTimeoutMs = 5_000): Promise<Bench> {
    return new Bench(role, await socketPair(), { artimTimeoutMs, idleTimeoutMs });
  }

  constructor(
    role: "requestor" | "acceptor",
    [socket, peer]: readonly [Socket, Socket],
    timeouts: { artimTimeoutMs: number; idleTimeoutMs: number },
  ) {
    this.peer = peer;
    peer.on("error", () => peer.destroy());
    peer.on("data", (chunk: Buffer) => this.#onBytes(chunk));
    this.layer = new UpperLayer({
      role,
      socket,
      timeouts,
      maximumPduLength: 16_384,
      user: {
        associateIndication: () => ({ accept }),
        associateConfirmation: () => this.told.push("accepted"),
        dataIndication: ({ bytes }) => {
          this.told.push(`data ${Buffer.from(bytes).toString()}`);
        },
        ended: (error: GatewayError | undefined) => this.told.push(`ended ${error?.code ?? "in order"}`),
      },
    });
  }

  /** What the layer has sent since this was asked last: PDU types, and an abort's source and reason. */
  takeWire(): string {
    return this.#wire.splice(0).join(" ");
  }

  /** Resolves when the layer has sent this many PDUs. */
  async expectPdus(count: number): Promise<void> {
    while (this.#wire.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    this.#wire.splice(0);
  }

  #onBytes(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 6 && this.#pending.length >= 6 + this.#pending.readUInt32BE(2)) {
      const end = 6 + this.#pending.readUInt32BE(2);
      const [type = 0] = this.#pending;
      const abort = type === 0x07 ? `(${this.#pending[8]},${this.#pending[9]})` : "";
      this.#wire.push(`${WIRE_NAMES[type]}${abort}`);
      this.#pending = this.#pending.subarray(end);
    }
    this.#arrived?.();
  }
}

const WIRE_NAMES: Readonly<Record<number, string>> = {
  1: "RQ",
  2: "AC",
  3: "RJ",
  4: "DATA",
  5: "RELEASE-RQ",
  6: "RELEASE-RP",
  7: "ABORT",
};

/** How each state is reached over the wire. Sta3, Sta8, Sta9, Sta12 pass within one call, as the user answers at once. */
const REACH: Readonly<Record<string, () => Promise<Bench>>> = {
  Sta2: async () => {
    const bench = await Bench.open("acceptor");
    bench.layer.listen();
    return bench;
  },
  Sta5: async () => {
    const bench = await Bench.open("requestor");
    bench.layer.request(request);
    await bench.expectPdus(1);
    return bench;
  },
  "Sta6 requestor": async () => {
    const bench = await reach("Sta5");
    bench.peer.write(associateAcceptPdu());
    while (bench.told.length === 0) await new Promise(setImmediate);
    return bench;
  },
  "Sta6 acceptor": async () => {
    const bench = await reach("Sta2");
    bench.peer.write(associateRequestPdu);
    await bench.expectPdus(1);
    return bench;
  },
  Sta7: async () => {
    const bench = await reach("Sta6 requestor");
    bench.layer.release();
    await bench.expectPdus(1);
    return bench;
  },
  Sta10: async () => {
    const bench = await reach("Sta6 acceptor");
    bench.layer.release();
    await bench.expectPdus(1);
    bench.peer.write(releaseRequestPdu);
    return bench;
  },
  Sta11: async () => {
    const bench = await reach("Sta7");
    bench.peer.write(releaseRequestPdu);
    await bench.expectPdus(1);
    return bench;
  },
  Sta13: async () => {
    const bench = await reach("Sta6 acceptor");
    bench.peer.write(releaseRequestPdu);
    await bench.expectPdus(1);
    return bench;
  },
};

function reach(state: string): Promise<Bench> {
  const open = REACH[state];
  if (open === undefined) throw new Error(`no way to ${state}`);
  return open();
}

const PDUS: Readonly<Record<string, Uint8Array>> = {
  AC: associateAcceptPdu(),
  RJ: associateRejectPdu(1, 1, 7),
  RQ: associateRequestPdu,
  DATA: dataPdu(1, 0x03, Buffer.from("x")),
  "RELEASE-RQ": releaseRequestPdu,
  "RELEASE-RP": releaseResponsePdu,
  ABORT: abortPdu(0, 0),
  garbage: Buffer.from("GET / HTTP/1.1\r\n\r\n"),
  "bad length": Uint8Array.of(0x05, 0x00, 0x00, 0x00, 0x00, 0x05),
};

const violated = "ended DIMSE_PROTOCOL_VIOLATION";
const aborted = "ended ASSOCIATION_ABORTED";
const rejected = "ended ASSOCIATION_REJECTED";
/** What the layer sends and tells when the peer sends this PDU and then closes. Aborts: (source, reason). */
type Outcome = readonly [wire: string, told: string];
const unexpected: Outcome = ["ABORT(2,2)", violated];
const unreadable: Outcome = ["ABORT(2,1)", violated];
const invalid: Outcome = ["ABORT(2,6)", violated];
/** Before there is an association the standard has the abort come from the user: AA-1. */
const early: Outcome = ["ABORT(0,0)", violated];
/** Every PDU that the table does not override, in a state with an association. */
const refuseAll = {
  ...{ AC: unexpected, RJ: unexpected, RQ: unexpected, DATA: unexpected },
  ...{ "RELEASE-RQ": unexpected, "RELEASE-RP": unexpected, ABORT: ["", aborted] as const },
  ...{ garbage: unreadable, "bad length": invalid },
} satisfies Record<string, Outcome>;
/** The association is over and was reported: what still comes changes nothing. */
const ignored: Outcome = ["", ""];

const OUTCOMES: Readonly<Record<string, Readonly<Record<string, Outcome>>>> = {
  Sta2: {
    ...{ AC: early, RJ: early, DATA: early, "RELEASE-RQ": early, "RELEASE-RP": early },
    ...{ RQ: ["AC", aborted], ABORT: ["", aborted] },
    ...{ garbage: early, "bad length": early },
  },
  Sta5: { ...refuseAll, AC: ["", `accepted, ${aborted}`], RJ: ["", rejected] },
  "Sta6 requestor": { ...refuseAll, DATA: ["", `data x, ${aborted}`], "RELEASE-RQ": ["RELEASE-RP", "ended in order"] },
  "Sta6 acceptor": { ...refuseAll, DATA: ["", `data x, ${aborted}`], "RELEASE-RQ": ["RELEASE-RP", "ended in order"] },
  Sta7: {
    ...refuseAll,
    DATA: ["", `data x, ${aborted}`],
    "RELEASE-RQ": ["RELEASE-RP", aborted],
    "RELEASE-RP": ["", "ended in order"],
  },
  Sta10: { ...refuseAll, "RELEASE-RP": ["RELEASE-RP", "ended in order"] },
  Sta11: { ...refuseAll, "RELEASE-RP": ["", "ended in order"] },
  Sta13: {
    ...Object.fromEntries(Object.keys(PDUS).map((name) => [name, ignored])),
    ...{ RQ: ["ABORT(2,2)", ""], garbage: ["ABORT(2,1)", ""], "bad length": ["ABORT(2,6)", ""] },
  },
};

describe.each(Object.keys(OUTCOMES))("in %s", (state) => {
  it.each(Object.keys(PDUS))("a peer that sends %s", async (name) => {
    const bench = await reach(state);
    bench.told.length = 0;
    bench.peer.write(PDUS[name] ?? "");
    bench.peer.end();
    await Promise.all([bench.layer.closed, once(bench.peer, "close")]);
    expect([bench.takeWire(), bench.told.join(", ")]).toEqual(OUTCOMES[state]?.[name]);
  });

  it("a peer that goes", async () => {
    const bench = await reach(state);
    bench.told.length = 0;
    bench.peer.destroy();
    await bench.layer.closed;
    expect(bench.told).toEqual(state === "Sta13" ? [] : [aborted]);
  });
});

describe("a peer that stays silent", () => {
  it("and never asks for an association is cut off by ARTIM", async () => {
    const bench = await Bench.open("acceptor", 20);
    bench.layer.listen();
    await bench.layer.closed;
    expect(bench.told).toEqual(["ended TIMED_OUT"]);
  });

  it("after a release request is aborted", async () => {
    const bench = await Bench.open("acceptor", 20);
    bench.layer.listen();
    bench.peer.write(associateRequestPdu);
    await bench.expectPdus(1);
    bench.layer.release();
    await bench.layer.closed;
    expect([bench.takeWire(), bench.told.join()]).toEqual(["RELEASE-RQ ABORT(0,0)", "ended TIMED_OUT"]);
  });

  it("while an answer is awaited is aborted", async () => {
    const bench = await Bench.open("acceptor", 20, 30);
    bench.layer.listen();
    bench.peer.write(associateRequestPdu);
    await bench.expectPdus(1);
    using _ = bench.layer.awaitPeer();
    await bench.layer.closed;
    expect([bench.takeWire(), bench.told.join()]).toEqual(["ABORT(0,0)", "ended TIMED_OUT"]);
  });

  it("and does not take what is sent is aborted", async () => {
    const bench = await Bench.open("acceptor", 20, 100);
    bench.layer.listen();
    bench.peer.write(associateRequestPdu);
    await bench.expectPdus(1);
    bench.peer.pause();
    await expect(bench.layer.send([Buffer.alloc(64 * 1024 * 1024)])).rejects.toMatchObject({ code: "TIMED_OUT" });
    bench.peer.destroy();
    await bench.layer.closed;
  });
});

it("refuses a peer that speaks no protocol version we know", async () => {
  const bench = await reach("Sta2");
  const otherVersion = Buffer.from(associateRequestPdu);
  otherVersion.writeUInt16BE(0x0002, 6);
  bench.peer.end(otherVersion);
  await Promise.all([bench.layer.closed, once(bench.peer, "close")]);
  expect([bench.takeWire(), bench.told.join()]).toEqual(["RJ", rejected]);
});
