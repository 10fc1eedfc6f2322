import fc from "fast-check";
import { expect, it } from "vitest";
import {
  abortPdu,
  associateAcceptPdu,
  associateRejectPdu,
  associateRequestPdu,
  dataPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../../../test/peers/pdu-fixtures.ts";
import type { AssociateRequest } from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import type { Event, State } from "./state-table.ts";
import { Bench } from "./testing/bench.ts";
import { printedOutcome, toldAtClose } from "./testing/outcomes.ts";

const request = decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest;

/** What a peer may send, likely or not. */
const SENT = {
  Evt3: associateAcceptPdu(),
  Evt4: associateRejectPdu(1, 1, 7),
  Evt6: associateRequestPdu,
  Evt10: dataPdu(1, 0x03, Buffer.from("x")),
  Evt12: releaseRequestPdu,
  Evt13: releaseResponsePdu,
  Evt16: abortPdu(0, 0),
  Evt19: Uint8Array.of(0x08, 0, 0, 0, 0, 0),
} as const satisfies { readonly [E in Event]?: Uint8Array };

type Role = "requestor" | "acceptor";
type Sent = keyof typeof SENT;

const TAKES_DATA: readonly State[] = ["Sta6", "Sta7"];

/** What the printed table makes of a walk: all that is sent and told. `releases`: the user asks for a release when data come. */
function walk(role: Role, events: readonly Sent[], releases: boolean): readonly [wire: string, told: string] {
  const [wire, told]: [string[], string[]] = [[], []];
  let state: State = role === "requestor" ? "Sta5" : "Sta2";
  const step = (event: Event): void => {
    const outcome = printedOutcome({ state, event, role });
    if (outcome.wire !== undefined) wire.push(outcome.wire);
    if (outcome.told !== undefined) told.push(outcome.told);
    state = outcome.next;
  };
  for (const event of events) {
    const isTaken = event === "Evt10" && TAKES_DATA.includes(state);
    step(event);
    if (isTaken && releases) step("Evt11");
    // Where frames cannot be told apart any more, nothing that follows is read.
    if (event === "Evt19") break;
  }
  const last = toldAtClose(state);
  return [wire.join(" "), [...told, ...(last === "" ? [] : [last])].join(", ")];
}

/** A way into an association, and then anything. */
const walks = fc.record({
  role: fc.constantFrom<Role>("requestor", "acceptor"),
  begins: fc.boolean(),
  releases: fc.boolean(),
  events: fc.array(fc.constantFrom(...(Object.keys(SENT) as Sent[]), "Evt10" as const, "Evt12" as const), {
    maxLength: 8,
  }),
  cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
});

it("does in every walk through the table what each step of it says, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(walks, async ({ role, begins, releases, events, cuts }) => {
      const first: readonly Sent[] = begins ? [role === "requestor" ? "Evt3" : "Evt6"] : [];
      const all = [...first, ...events];
      const bench = await Bench.open(role);
      if (releases) bench.onData = () => bench.layer.release();
      if (role === "requestor") {
        bench.layer.request(request);
        await bench.expectPdus(1);
      } else bench.layer.listen();
      let stream = Buffer.concat(all.map((event) => SENT[event]));
      for (const cut of cuts) {
        bench.peer.write(stream.subarray(0, cut));
        stream = stream.subarray(cut);
      }
      bench.peer.write(stream);
      await bench.close();
      expect([bench.takeWire(), bench.told.join(", ")]).toEqual(walk(role, all, releases));
    }),
    { numRuns: 200 },
  );
});
