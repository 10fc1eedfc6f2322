import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
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
import { GatewayError } from "../../errors/gateway-error.ts";
import { type AssociateRequest, REJECTION } from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import type { Event, State } from "./state-table.ts";
import { Bench } from "./testing/bench.ts";
import { aborted, inOrder, type Outcome, printedOutcome, toldAtClose } from "./testing/outcomes.ts";
import { events, printedAction, states } from "./testing/table-9-10.ts";
import { UpperLayer } from "./upper-layer.ts";

/**
 * Every state and every event of PS3.8 table 9-10, over a real connection: what the layer sends and tells must be what
 * the action in the printed cell says. Pairs that cannot come about are named below, with the reason.
 */
const request = decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest;
/** ARTIM in the state that is reached; longer where the peer must still do something before it runs out. */
const SHORT_MS = 10;
const LONGER_MS = 200;

/** What the peer sends, or the local user does, to bring an event about. */
const BRING_ABOUT: { readonly [E in Event]?: (bench: Bench) => unknown } = {
  Evt1: ({ layer }) => layer.request(request),
  Evt3: ({ peer }) => peer.write(associateAcceptPdu()),
  Evt4: ({ peer }) => peer.write(associateRejectPdu(1, 1, 7)),
  Evt5: ({ layer }) => layer.listen(),
  Evt6: ({ peer }) => peer.write(associateRequestPdu),
  Evt9: ({ layer, told }) =>
    layer.send([dataPdu(1, 0x03, Buffer.from("y"))]).catch(() => told.includes("not sent") || told.unshift("not sent")),
  Evt10: ({ peer }) => peer.write(dataPdu(1, 0x03, Buffer.from("x"))),
  Evt11: ({ layer }) => layer.release(),
  Evt12: ({ peer }) => peer.write(releaseRequestPdu),
  Evt13: ({ peer }) => peer.write(releaseResponsePdu),
  Evt15: ({ layer }) => layer.abort(new GatewayError("CANCELLED")),
  Evt16: ({ peer }) => peer.write(abortPdu(0, 0)),
  Evt17: ({ peer }) => peer.end(),
  Evt18: ({ layer }) => layer.closed,
  Evt19: ({ peer }) => peer.write("GET / HTTP/1.1\r\n\r\n"),
};

const OF_THE_PEER: readonly Event[] = ["Evt3", "Evt4", "Evt6", "Evt10", "Evt12", "Evt13", "Evt16", "Evt19"];
const OF_THE_USER: readonly Event[] = ["Evt1", "Evt5", "Evt9", "Evt11", "Evt15"];

/** How a state is reached; several ways where the table or the roles make them differ. With `hurry`, ARTIM is short there. */
const REACH: Readonly<Record<string, (hurry: boolean) => Promise<Bench>>> = {
  "Sta1 idle": () => Bench.open("acceptor"),
  "Sta2 listening": async (hurry) => {
    const bench = await Bench.open("acceptor");
    if (hurry) bench.timeouts.artimTimeoutMs = SHORT_MS;
    bench.layer.listen();
    return bench;
  },
  "Sta5 requested": async () => {
    const bench = await Bench.open("requestor");
    bench.layer.request(request);
    await bench.expectPdus(1);
    return bench;
  },
  "Sta6 as requestor": async () => {
    const bench = await reach("Sta5 requested");
    bench.peer.write(associateAcceptPdu());
    await bench.expectTold();
    return bench;
  },
  "Sta6 as acceptor": async () => {
    const bench = await reach("Sta2 listening");
    bench.peer.write(associateRequestPdu);
    await bench.expectPdus(1);
    return bench;
  },
  "Sta7 as requestor": (hurry) => releasing("Sta6 as requestor", hurry ? SHORT_MS : undefined),
  "Sta7 as acceptor": (hurry) => releasing("Sta6 as acceptor", hurry ? SHORT_MS : undefined),
  "Sta10 as acceptor, after a collision": async (hurry) => {
    const bench = await releasing("Sta6 as acceptor", hurry ? LONGER_MS : undefined);
    // The data before the request show that the request has come as well.
    bench.peer.write(Buffer.concat([dataPdu(1, 0x03, Buffer.from("x")), releaseRequestPdu]));
    await bench.expectTold();
    return bench;
  },
  "Sta11 as requestor, after a collision": async (hurry) => {
    const bench = await releasing("Sta6 as requestor", hurry ? LONGER_MS : undefined);
    bench.peer.write(releaseRequestPdu);
    await bench.expectPdus(1);
    return bench;
  },
  "Sta13 after a release": (hurry) => ended("Sta6 as acceptor", releaseRequestPdu, hurry),
  "Sta13 after a rejection": async (hurry) => {
    const bench = await reach("Sta2 listening");
    if (hurry) bench.timeouts.artimTimeoutMs = SHORT_MS;
    bench.answer = { reject: REJECTION.noReason };
    bench.peer.write(associateRequestPdu);
    await Promise.all([bench.expectPdus(1), bench.expectTold()]);
    return bench;
  },
  "Sta13 after an abort": (hurry) => ended("Sta6 as requestor", releaseResponsePdu, hurry),
};

function reach(way: string, hurry = false): Promise<Bench> {
  const open = REACH[way];
  if (open === undefined) throw new Error(`no way to ${way}`);
  return open(hurry);
}

async function releasing(way: string, artimTimeoutMs: number | undefined): Promise<Bench> {
  const bench = await reach(way);
  if (artimTimeoutMs !== undefined) bench.timeouts.artimTimeoutMs = artimTimeoutMs;
  bench.layer.release();
  await bench.expectPdus(1);
  return bench;
}

async function ended(way: string, pdu: Uint8Array, hurry: boolean): Promise<Bench> {
  const bench = await reach(way);
  if (hurry) bench.timeouts.artimTimeoutMs = SHORT_MS;
  bench.peer.write(pdu);
  await Promise.all([bench.expectPdus(1), bench.expectTold()]);
  return bench;
}

function stateOf(way: string): State {
  return way.split(" ")[0] as State;
}

/** Beside the table, so that a silent peer cannot hold us: ARTIM runs after a release request too, and Sta2 can be left. */
const BEYOND_THE_STANDARD: Readonly<Record<string, Outcome>> = {
  "Sta7 Evt18": { wire: "ABORT(0,0)", told: "ended TIMED_OUT", next: "Sta13" },
  "Sta10 Evt18": { wire: "ABORT(0,0)", told: "ended TIMED_OUT", next: "Sta13" },
  "Sta11 Evt18": { wire: "ABORT(0,0)", told: "ended TIMED_OUT", next: "Sta13" },
  "Sta2 Evt15": { told: "ended CANCELLED", next: "Sta1" },
};

/** The user answers at once: these states pass within one call, and no PDU, close or timer comes in between. */
const PASSING: readonly State[] = ["Sta3", "Sta8", "Sta9", "Sta12"];

/** Why a pair cannot come about; undefined: it can, and is tried. */
function whyNever(state: State, event: Event): string | undefined {
  if (PASSING.includes(state)) {
    const withinTheCall = state === "Sta3" ? ["Evt7", "Evt8", ...OF_THE_USER] : ["Evt14"];
    return withinTheCall.includes(event) ? undefined : "the state passes within one call";
  }
  if (event === "Evt2") return state === "Sta4" ? undefined : "a connection opens once, and is asked for in Evt1";
  if (event === "Evt7" || event === "Evt8") return "the answer is what the indication returns, in Sta3";
  if (event === "Evt14") return "the layer gives the response itself, in Sta8, Sta9 and Sta12";
  if (state === "Sta4" && OF_THE_PEER.includes(event)) return "no byte comes before the connection is open";
  if (event === "Evt18") return ARTIM_RUNS.includes(state) ? undefined : "ARTIM does not run";
  return undefined;
}

const ARTIM_RUNS: readonly State[] = ["Sta2", "Sta7", "Sta10", "Sta11", "Sta13"];

it("leaves out no pair for which the standard has an action, but those of states that pass within one call", () => {
  const leftOut = states.flatMap((state) =>
    events.filter((event) => printedAction(state, event) !== "-" && whyNever(state, event) !== undefined),
  );
  const passing = PASSING.flatMap((state) =>
    events.filter((event) => printedAction(state, event) !== "-" && whyNever(state, event) !== undefined),
  );
  expect(leftOut.sort()).toEqual(passing.sort());
  const tried = states.flatMap((state) => events.filter((event) => whyNever(state, event) === undefined));
  expect([states.length * events.length, tried.length]).toEqual([247, 134]);
});

describe.each(Object.keys(REACH))("%s:", (way) => {
  const state = stateOf(way);
  it.each(events.filter((event) => whyNever(state, event) === undefined))(`%s`, async (event) => {
    const bench = await reach(way, event === "Evt18");
    await BRING_ABOUT[event]?.(bench);
    await bench.close();
    const role = way.includes("requestor") ? "requestor" : "acceptor";
    const outcome = BEYOND_THE_STANDARD[`${state} ${event}`] ?? printedOutcome({ state, event, role });
    const told = [outcome.told, toldAtClose(outcome.next)].filter(Boolean).join(", ");
    expect([bench.takeWire(), bench.told.join(", ")]).toEqual([outcome.wire ?? "", told]);
  });
});

describe("Sta3, within the indication:", () => {
  /** What the user does before it answers, or how it answers. */
  it.each<readonly [Event, string, string]>([
    ["Evt1", "AC", aborted],
    ["Evt5", "AC", aborted],
    ["Evt7", "AC", aborted],
    ["Evt8", "RJ", "ended ASSOCIATION_REJECTED"],
    ["Evt9", "AC", `not sent, ${aborted}`],
    ["Evt11", "AC", aborted],
    ["Evt15", "ABORT(0,0)", "ended CANCELLED"],
  ])("%s", async (event, wire, told) => {
    const bench = await reach("Sta2 listening");
    if (event === "Evt8") bench.answer = { reject: REJECTION.noReason };
    bench.beforeAnswer = () => BRING_ABOUT[event]?.(bench);
    bench.peer.write(associateRequestPdu);
    await bench.close();
    expect([bench.takeWire(), bench.told.join(", ")]).toEqual([wire, told]);
  });
});

describe("Sta4, while the connection is being opened:", () => {
  /** A layer that connects to a port, and what it tells. */
  function requestAt(port: number) {
    const told: string[] = [];
    const layer = new UpperLayer({
      role: "requestor",
      socket: connect(port, "127.0.0.1"),
      timeouts: { artimTimeoutMs: 5_000, idleTimeoutMs: 5_000 },
      maximumPduLength: 16_384,
      user: {
        associateIndication: () => ({ reject: REJECTION.noReason }),
        associateConfirmation: () => told.push("accepted"),
        dataIndication: () => {},
        ended: (error) => told.push(`ended ${error?.code ?? "in order"}`),
      },
    });
    layer.request(request);
    return { layer, told };
  }

  it.each<Event>(["Evt1", "Evt2", "Evt5", "Evt9", "Evt11"])(
    "%s does not keep the request from being sent",
    async (event) => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { layer, told } = requestAt((server.address() as AddressInfo).port);
      if (event === "Evt1") layer.request(request);
      if (event === "Evt5") layer.listen();
      if (event === "Evt9") await expect(layer.send([])).rejects.toThrow(GatewayError);
      if (event === "Evt11") layer.release();
      const [peer] = await once(server, "connection");
      const [bytes] = await once(peer, "data");
      peer.destroy();
      server.close();
      await layer.closed;
      expect([bytes[0], told]).toEqual([0x01, [aborted]]);
    },
  );

  it("Evt15", async () => {
    const { layer, told } = requestAt(await freePort());
    layer.abort(new GatewayError("CANCELLED"));
    await layer.closed;
    expect(told).toEqual(["ended CANCELLED"]);
  });

  it("Evt17", async () => {
    const { layer, told } = requestAt(await freePort());
    await layer.closed;
    expect(told).toEqual(["ended CONNECTION_FAILED"]);
  });
});

/** Sta8, Sta9 and Sta12 show in what a release brings: the response that the layer gives in them. */
it.each([
  ["Sta8", "Sta6 as acceptor", releaseRequestPdu, "RELEASE-RP", inOrder],
  ["Sta9", "Sta7 as requestor", releaseRequestPdu, "RELEASE-RP", aborted],
  ["Sta12", "Sta10 as acceptor, after a collision", releaseResponsePdu, "RELEASE-RP", inOrder],
])("%s: Evt14 follows at once", async (_, way, pdu, wire, told) => {
  const bench = await reach(way);
  bench.peer.write(pdu);
  await bench.close();
  expect([bench.takeWire(), bench.told.join(", ")]).toEqual([wire, told]);
});
