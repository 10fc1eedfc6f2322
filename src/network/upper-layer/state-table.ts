/** The upper-layer state machine, requestor and acceptor, with the standard's names. PS3.8 9.2. */

/** PS3.8 9.2.1, tables 9-1 to 9-5. */
export const STATES = {
  Sta1: "idle",
  Sta2: "transport open, awaiting A-ASSOCIATE-RQ",
  Sta3: "awaiting local A-ASSOCIATE response",
  Sta4: "awaiting transport connection",
  Sta5: "awaiting A-ASSOCIATE-AC or -RJ",
  Sta6: "association established",
  Sta7: "awaiting A-RELEASE-RP",
  Sta8: "awaiting local A-RELEASE response",
  Sta9: "release collision, requestor: awaiting local A-RELEASE response",
  Sta10: "release collision, acceptor: awaiting A-RELEASE-RP",
  Sta11: "release collision, requestor: awaiting A-RELEASE-RP",
  Sta12: "release collision, acceptor: awaiting local A-RELEASE response",
  Sta13: "awaiting close of the transport connection",
} as const;

/** Rows of PS3.8 9.2.3, table 9-10. */
export const EVENTS = {
  Evt1: "A-ASSOCIATE request (local user)",
  Evt2: "transport connection confirmed",
  Evt3: "A-ASSOCIATE-AC received",
  Evt4: "A-ASSOCIATE-RJ received",
  Evt5: "transport connection indication",
  Evt6: "A-ASSOCIATE-RQ received",
  Evt7: "A-ASSOCIATE response, accept (local user)",
  Evt8: "A-ASSOCIATE response, reject (local user)",
  Evt9: "P-DATA request (local user)",
  Evt10: "P-DATA-TF received",
  Evt11: "A-RELEASE request (local user)",
  Evt12: "A-RELEASE-RQ received",
  Evt13: "A-RELEASE-RP received",
  Evt14: "A-RELEASE response (local user)",
  Evt15: "A-ABORT request (local user)",
  Evt16: "A-ABORT received",
  Evt17: "transport connection closed",
  Evt18: "ARTIM timer expired",
  Evt19: "unrecognized or invalid PDU received",
} as const;

export type State = keyof typeof STATES;
export type Event = keyof typeof EVENTS;

/**
 * Actions and the state each leads to. AE-6 and AR-8 lead to one of two: the first unless the action says otherwise
 * (AE-6: Sta13 when the provider refuses; AR-8: Sta10 for the acceptor). PS3.8 9.2.2, tables 9-6 to 9-9.
 */
export const ACTIONS = {
  "AE-1": ["Sta4"],
  "AE-2": ["Sta5"],
  "AE-3": ["Sta6"],
  "AE-4": ["Sta1"],
  "AE-5": ["Sta2"],
  "AE-6": ["Sta3", "Sta13"],
  "AE-7": ["Sta6"],
  "AE-8": ["Sta13"],
  "DT-1": ["Sta6"],
  "DT-2": ["Sta6"],
  "AR-1": ["Sta7"],
  "AR-2": ["Sta8"],
  "AR-3": ["Sta1"],
  "AR-4": ["Sta13"],
  "AR-5": ["Sta1"],
  "AR-6": ["Sta7"],
  "AR-7": ["Sta8"],
  "AR-8": ["Sta9", "Sta10"],
  "AR-9": ["Sta11"],
  "AR-10": ["Sta12"],
  "AA-1": ["Sta13"],
  "AA-2": ["Sta1"],
  "AA-3": ["Sta1"],
  "AA-4": ["Sta1"],
  "AA-5": ["Sta1"],
  "AA-6": ["Sta13"],
  "AA-7": ["Sta13"],
  "AA-8": ["Sta13"],
} as const satisfies Record<string, readonly [State, ...State[]]>;

export type Action = keyof typeof ACTIONS;

type Row = { readonly [S in State]?: Action };

/** A PDU that is unexpected in every state but those a row overrides. */
const UNEXPECTED = {
  Sta2: "AA-1",
  Sta3: "AA-8",
  Sta5: "AA-8",
  Sta6: "AA-8",
  Sta7: "AA-8",
  Sta8: "AA-8",
  Sta9: "AA-8",
  Sta10: "AA-8",
  Sta11: "AA-8",
  Sta12: "AA-8",
  Sta13: "AA-6",
} as const satisfies Row;

/** The same action in every state with a peer, Sta3 and Sta5 to Sta12. */
function inEveryAssociatedState(action: Action): Row {
  return {
    Sta3: action,
    Sta5: action,
    Sta6: action,
    Sta7: action,
    Sta8: action,
    Sta9: action,
    Sta10: action,
    Sta11: action,
    Sta12: action,
  };
}

/** PS3.8 9.2.3, table 9-10. A cell that is not here cannot happen, or is a mistake of the local user. */
const TRANSITIONS: { readonly [E in Event]: Row } = {
  Evt1: { Sta1: "AE-1" },
  Evt2: { Sta4: "AE-2" },
  Evt3: { ...UNEXPECTED, Sta5: "AE-3" },
  Evt4: { ...UNEXPECTED, Sta5: "AE-4" },
  Evt5: { Sta1: "AE-5" },
  Evt6: { ...UNEXPECTED, Sta2: "AE-6", Sta13: "AA-7" },
  Evt7: { Sta3: "AE-7" },
  Evt8: { Sta3: "AE-8" },
  Evt9: { Sta6: "DT-1", Sta8: "AR-7" },
  Evt10: { ...UNEXPECTED, Sta6: "DT-2", Sta7: "AR-6" },
  Evt11: { Sta6: "AR-1" },
  Evt12: { ...UNEXPECTED, Sta6: "AR-2", Sta7: "AR-8" },
  Evt13: { ...UNEXPECTED, Sta7: "AR-3", Sta10: "AR-10", Sta11: "AR-3" },
  Evt14: { Sta8: "AR-4", Sta9: "AR-9", Sta12: "AR-4" },
  Evt15: { ...inEveryAssociatedState("AA-1"), Sta4: "AA-2" },
  Evt16: { ...inEveryAssociatedState("AA-3"), Sta2: "AA-2", Sta13: "AA-2" },
  Evt17: { ...inEveryAssociatedState("AA-4"), Sta2: "AA-5", Sta4: "AA-4", Sta13: "AR-5" },
  Evt18: { Sta2: "AA-2", Sta13: "AA-2" },
  Evt19: { ...UNEXPECTED, Sta13: "AA-7" },
};

/** The action for an event in a state; undefined where table 9-10 has no cell. */
export function actionFor(state: State, event: Event): Action | undefined {
  return TRANSITIONS[event][state];
}
