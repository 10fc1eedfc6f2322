import type { Event, State } from "../state-table.ts";
import { printedAction } from "./table-9-10.ts";

/** What an action sends and tells, and the state after it. */
export interface Outcome {
  readonly wire?: string;
  readonly told?: string;
  readonly next: State;
}

export interface Situation {
  readonly state: State;
  readonly event: Event;
  readonly role: "requestor" | "acceptor";
}

export const aborted = "ended ASSOCIATION_ABORTED";
export const inOrder = "ended in order";
const violated = "ended DIMSE_PROTOCOL_VIOLATION";

/** Tables 9-6 to 9-9, as a bench sees them; the layer answers a release by itself at once, so that Evt14 follows Evt12. */
const OUTCOMES: Readonly<Record<string, (situation: Situation) => Outcome>> = {
  "-": ({ event, state }) => ({ ...(event === "Evt9" && { told: "not sent" }), next: state }),
  // The connection is there already: the request is sent (AE-2) in the same call.
  "AE-1": () => ({ wire: "RQ", next: "Sta5" }),
  "AE-3": () => ({ told: "accepted", next: "Sta6" }),
  "AE-4": () => ({ told: "ended CALLED_AE_TITLE_UNKNOWN", next: "Sta1" }),
  "AE-5": () => ({ next: "Sta2" }),
  "AE-6": () => ({ wire: "AC", next: "Sta6" }),
  "DT-1": () => ({ wire: "DATA", next: "Sta6" }),
  "DT-2": () => ({ told: "data x", next: "Sta6" }),
  "AR-1": () => ({ wire: "RELEASE-RQ", next: "Sta7" }),
  "AR-2": () => ({ wire: "RELEASE-RP", told: inOrder, next: "Sta13" }),
  "AR-3": () => ({ told: inOrder, next: "Sta1" }),
  "AR-5": () => ({ next: "Sta1" }),
  "AR-6": () => ({ told: "data x", next: "Sta7" }),
  "AR-8": ({ role }) => (role === "requestor" ? { wire: "RELEASE-RP", next: "Sta11" } : { next: "Sta10" }),
  "AR-10": () => ({ wire: "RELEASE-RP", told: inOrder, next: "Sta13" }),
  "AA-1": ({ event }) => ({
    wire: "ABORT(0,0)",
    told: event === "Evt15" ? "ended CANCELLED" : violated,
    next: "Sta13",
  }),
  "AA-2": ({ event, state }) => {
    if (state === "Sta13") return { next: "Sta1" };
    return { told: event === "Evt18" ? "ended TIMED_OUT" : aborted, next: "Sta1" };
  },
  "AA-3": () => ({ told: aborted, next: "Sta1" }),
  "AA-4": () => ({ told: aborted, next: "Sta1" }),
  "AA-5": () => ({ told: aborted, next: "Sta1" }),
  "AA-6": () => ({ next: "Sta13" }),
  "AA-7": ({ event }) => ({ wire: abortFor(event), next: "Sta13" }),
  "AA-8": ({ event }) => ({ wire: abortFor(event), told: violated, next: "Sta13" }),
};

/** Service provider, with the reason: unrecognized PDU or unexpected PDU. PS3.8 9.3.8. */
function abortFor(event: Event): string {
  return event === "Evt19" ? "ABORT(2,1)" : "ABORT(2,2)";
}

/** What the printed table wants. */
export function printedOutcome(situation: Situation): Outcome {
  const action = printedAction(situation.state, situation.event);
  const outcome = OUTCOMES[action];
  if (outcome === undefined) throw new Error(`${action} does not come about by itself`);
  return outcome(situation);
}

/** What the close of the connection tells in a state. */
export function toldAtClose(state: State): string {
  return ["Sta1", "Sta13"].includes(state) ? "" : aborted;
}
