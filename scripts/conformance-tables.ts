import { findContexts, getContexts, moveContexts, verificationContexts } from "../src/archive/dimse/contexts.ts";
import { checkRetrieveStatus } from "../src/archive/dimse/retrieve-status.ts";
import { STATUS_BY_CODE } from "../src/archive/intake/refusal-status.ts";
import { settingsTable } from "../src/config/settings-table.ts";
import { checkStoreStatus } from "../src/delivery/store-status.ts";
import { CHARACTER_SETS } from "../src/dicom/character-sets-table.ts";
import { storageSopClasses } from "../src/dicom/dictionary/sop-classes.ts";
import { transferSyntaxes, transferSyntaxOf } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../src/errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../src/errors/registry.ts";
import { refuseEverything } from "../src/gateway/listener.ts";
import { findError } from "../src/network/dimse/find-scu.ts";
import { rolesOf } from "../src/network/dimse/server.ts";
import {
  QUERY_RETRIEVE_SOP_CLASSES,
  STORAGE_COMMITMENT_SOP_CLASS,
  VERIFICATION_SOP_CLASS,
} from "../src/network/dimse/service-classes.ts";
import type { ProposedContext } from "../src/network/dimse/service-types.ts";
import {
  type DimseService,
  describeStatus,
  formatStatus,
  GENERAL_STATUSES,
  SERVICE_STATUSES,
  STATUS,
  type StatusEntry,
  statusError,
} from "../src/network/dimse/status.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES } from "../src/network/dimse/storage-contexts.ts";
import { ABORT_REASON, REJECTION } from "../src/network/upper-layer/pdu.ts";
import { actionFor, EVENTS, type Event, STATES, type State } from "../src/network/upper-layer/state-table.ts";
import { TLS_PROFILE } from "../src/network/upper-layer/tls-context.ts";
import { IDENTITY_TYPES } from "../src/network/upper-layer/user-identity.ts";
import { VIOLATIONS } from "../src/network/upper-layer/violations.ts";
import { tableCell } from "./table-cell.ts";

type Row = readonly string[];

export function table(header: Row, rows: Iterable<Row>): string {
  const line = (cells: Row): string => `| ${cells.map(tableCell).join(" | ")} |`;
  return [line(header), `|${"---|".repeat(header.length)}`, ...[...rows].map(line)].join("\n");
}

const STORAGE = Object.entries(storageSopClasses);

/** Names as PS3.6 table A-1 has them. */
const SERVICE_NAMES: ReadonlyMap<string, string> = new Map([
  [VERIFICATION_SOP_CLASS, "Verification"],
  [STORAGE_COMMITMENT_SOP_CLASS, "Storage Commitment Push Model"],
  ...(["patient-root", "study-root"] as const).flatMap((model) =>
    (["find", "move", "get"] as const).map((service): [string, string] => [
      QUERY_RETRIEVE_SOP_CLASSES[model][service],
      `${model === "patient-root" ? "Patient" : "Study"} Root Query/Retrieve - ${service.toUpperCase()}`,
    ]),
  ),
]);

/** What a requestor may ask of the gateway's listener. */
const LISTENER_ROLES = rolesOf(
  { store: refuseEverything, commitmentRequest: () => Promise.resolve({ status: STATUS.success }) },
  true,
);
const isServed = (uid: string): boolean => LISTENER_ROLES(uid)?.scu === true;

/** What the gateway proposes to archives and destinations. */
const PROPOSED_BY_ARCHIVES = [verificationContexts(), findContexts(), moveContexts(), getContexts()].flat();
const isProposed = (uid: string): boolean =>
  PROPOSED_BY_ARCHIVES.some(({ abstractSyntaxUid, role }) => abstractSyntaxUid === uid && role !== "scp");

/** PS3.2: the overview of network services. */
export function servicesTable(): string {
  const services = [...SERVICE_NAMES].map(([uid, name]) => [
    name,
    uid,
    isProposed(uid) ? "yes" : "toolkit",
    isServed(uid) ? "yes" : "no",
  ]);
  const isWholeServed = STORAGE.every(([, uid]) => isServed(uid));
  const storage = [`Storage: the ${STORAGE.length} classes of appendix A`, "", "yes", isWholeServed ? "yes" : "some"];
  return table(["SOP class", "UID", "as SCU", "as SCP"], [...services, storage]);
}

function syntaxNames(uids: readonly string[]): string {
  const known = [...transferSyntaxes.keys()];
  if (known.every((uid) => uids.includes(uid))) return "all of appendix B";
  return uids.map((uid) => transferSyntaxOf(uid).keyword || uid).join(", ");
}

/** What is proposed to archives, storage in one row where its contexts are alike. */
export function archiveContextsTable(): string {
  const storage = PROPOSED_BY_ARCHIVES.filter(({ role }) => role === "scp");
  const [example] = storage;
  const rows = PROPOSED_BY_ARCHIVES.filter(({ role }) => role !== "scp").map(contextRow);
  const name = `${storage.length} storage SOP classes of appendix A, in the same association as C-GET`;
  return table(
    ["abstract syntax", "transfer syntaxes, in this order", "role"],
    [...rows, [name, syntaxNames(example?.transferSyntaxUids ?? []), "SCP"]],
  );
}

function contextRow({ abstractSyntaxUid, transferSyntaxUids, role = "scu" }: ProposedContext): Row {
  const name = SERVICE_NAMES.get(abstractSyntaxUid) ?? abstractSyntaxUid;
  return [name, syntaxNames(transferSyntaxUids), role.toUpperCase()];
}

export function destinationContextsTable(): string {
  return table(
    ["abstract syntax", "transfer syntaxes", "role"],
    [
      [
        "the SOP class of each object, of appendix A or not",
        "the one the object is in; in a context of its own ExplicitVRLittleEndian, ImplicitVRLittleEndian",
        "SCU",
      ],
      ...findContexts().map(contextRow),
    ],
  );
}

export function listenerContextsTable(): string {
  const services = [...SERVICE_NAMES].filter(([uid]) => isServed(uid));
  return table(
    ["abstract syntax", "transfer syntaxes", "role"],
    [
      ...services.map(([, name]) => [name, syntaxNames(IDENTIFIER_TRANSFER_SYNTAXES), "SCP"]),
      ["storage SOP classes of appendix A", syntaxNames([...transferSyntaxes.keys()]), "SCP"],
      ["SOP classes outside the DICOM root (`dicom.acceptUnknownSopClasses`)", "all of appendix B", "SCP"],
    ],
  );
}

export function storageTable(): string {
  return table(
    ["SOP class", "UID"],
    STORAGE.map(([keyword, uid]) => [keyword, uid]),
  );
}

export function transferSyntaxTable(): string {
  const rows = [...transferSyntaxes.values()].map(({ keyword, uid, encapsulated }) => [
    keyword,
    uid,
    encapsulated ? "passed on as it is" : "read and written",
  ]);
  return table(["transfer syntax", "UID", "pixel data"], rows);
}

/** What comes of an error with this code. */
const BY_CLASS = {
  transient: "tried again by itself",
  ambiguous: "the other side is asked what it holds, then tried again",
  permanent: "a person must act",
} as const;

function consequence(code: ErrorCode): string {
  return `\`${code}\`: ${BY_CLASS[errorRegistry[code].class]}`;
}

/** The code of what is thrown; undefined when nothing is. */
function codeOf(check: () => void): ErrorCode | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown.code;
    throw thrown;
  }
}

/** The error that the code itself makes of an answer to the service; undefined when it is none. */
function errorOf(service: DimseService, status: number): ErrorCode | undefined {
  if (service === "C-STORE") return codeOf(() => checkStoreStatus(status, ""));
  if (service === "C-MOVE" || service === "C-GET")
    return codeOf(() => checkRetrieveStatus({ status, failed: undefined }));
  return (service === "C-FIND" ? findError(status) : statusError(service, status))?.code;
}

const FINE: { readonly [S in DimseService]: string } = {
  "C-ECHO": "it is done",
  "C-STORE": "counts as sent; proven later by a query",
  "C-FIND": "all matches are there",
  "C-MOVE": "ended; what arrived is compared with what was listed",
  "C-GET": "ended; what arrived is compared with what was listed",
  "N-ACTION": "the result is waited for",
  "N-EVENT-REPORT": "it is done",
};

function reactionTo(service: DimseService, { first, class: meaning }: StatusEntry): string {
  if (meaning === "pending") return service === "C-FIND" ? "one match is read" : "the counts are noted";
  const error = errorOf(service, first);
  return error === undefined ? FINE[service] : consequence(error);
}

function statusText({ first, last }: StatusEntry): string {
  return first === last ? formatStatus(first) : `${formatStatus(first)} to ${formatStatus(last)}`;
}

const SUCCESS = GENERAL_STATUSES.filter(({ class: meaning }) => meaning === "success");

/** Statuses in answers to us: those that the service itself defines, and success. */
export function answersTable(service: DimseService): string {
  const rows = [...SUCCESS, ...SERVICE_STATUSES[service]].map((entry) => [
    statusText(entry),
    entry.class,
    entry.name,
    reactionTo(service, entry),
  ]);
  return table(["status", "class", "meaning", "what we do"], rows);
}

/** Those of PS3.7 annex C, which any service may answer with: by the code each leads to. */
export function generalAnswersTable(): string {
  const services = ["C-ECHO", "C-FIND", "C-MOVE", "C-STORE"] as const;
  const cell = (error: ErrorCode | undefined): string => (error === undefined ? "fine" : `\`${error}\``);
  const rows = GENERAL_STATUSES.filter((entry) => !SUCCESS.includes(entry)).map((entry) => [
    statusText(entry),
    entry.class,
    entry.name,
    ...services.map((service) => cell(errorOf(service, entry.first))),
  ]);
  return table(["status", "class", "meaning", "C-ECHO, N-ACTION", "C-FIND", "C-MOVE, C-GET", "C-STORE"], rows);
}

/** What comes of the codes in the tables of answers. */
export function consequencesTable(): string {
  const services = ["C-ECHO", "C-FIND", "C-MOVE", "C-GET", "C-STORE", "N-ACTION"] as const;
  const codes = services.flatMap((service) =>
    [...GENERAL_STATUSES, ...SERVICE_STATUSES[service]]
      .filter(({ class: meaning }) => meaning !== "pending")
      .flatMap(({ first }) => errorOf(service, first) ?? []),
  );
  const rows = [...new Set(codes)].sort().map((code) => {
    const { class: meaning, summary } = errorRegistry[code];
    return [`\`${code}\``, summary, BY_CLASS[meaning]];
  });
  return table(["code", "what it means", "what comes of it"], rows);
}

/** Statuses that our listener gives, beside success: by what is wrong. */
export function refusalsTable(): string {
  const byProtocol: readonly (readonly [number, string])[] = [
    [STATUS.invalidObjectInstance, "The SOP instance UID of the command is no UID."],
    [STATUS.sopClassNotSupported, "The command names another SOP class than its presentation context."],
    [STATUS.dataSetDoesNotMatchSopClass, "The data set has other UIDs than the command."],
    [STATUS.unrecognizedOperation, "A service is asked for that the listener does not give."],
  ];
  const byCode = Object.entries(STATUS_BY_CODE).map(([code, status]) => [status, reasonOf(code)] as const);
  const rows = [...byProtocol, ...byCode].map(([status, reason]) => {
    const { class: meaning, name } = describeStatus("C-STORE", status);
    return [formatStatus(status), meaning, name, reason];
  });
  return table(["status", "class", "meaning", "when"], rows);
}

function reasonOf(code: string): string {
  return Object.entries(errorRegistry).find(([known]) => known === code)?.[1].summary ?? code;
}

/** When an association is rejected. */
const REJECTED_WHEN: { readonly [R in keyof typeof REJECTION]: string } = {
  noReason: "the listener was asked where it does not listen",
  applicationContextNotSupported: "the application context is not that of DICOM",
  callingAeTitleNotRecognized: "no rule lets this AE title or address in",
  calledAeTitleNotRecognized: "another AE title than ours is called",
  userNotAuthenticated: "a user is required, and none or a wrong one is named",
  protocolVersionNotSupported: "the protocol version is not 1",
  localLimitExceeded:
    "as many associations as allowed are open and none has been idle for 10 s, or the gateway is stopping",
};

export function rejectionsTable(): string {
  const rows = Object.entries(REJECTION).map(([name, { result, source, reason }]) => [
    result === 1 ? "permanent" : "transient",
    String(source),
    String(reason),
    Object.entries(REJECTED_WHEN).find(([known]) => known === name)?.[1] ?? name,
  ]);
  return table(["result", "source", "reason", "when"], rows);
}

export function abortReasonsTable(): string {
  const rows = Object.entries(ABORT_REASON).map(([name, reason]) => [
    String(reason),
    name
      .replace(/([A-Z])/g, " $1")
      .toLowerCase()
      .replace("pdu", "PDU"),
  ]);
  return table(["reason", "meaning"], rows);
}

export function violationsTable(): string {
  return table(
    ["code", "what the peer did"],
    Object.entries(VIOLATIONS).map(([code, text]) => [`\`${code}\``, text]),
  );
}

export function stateTable(): string {
  const states = keysOf<State>(STATES);
  const rows = keysOf<Event>(EVENTS).map((event) => [
    `${event} ${EVENTS[event]}`,
    ...states.map((state) => actionFor(state, event) ?? ""),
  ]);
  return table(["event", ...states], rows);
}

function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  const keys: K[] = [];
  for (const key in record) keys.push(key);
  return keys;
}

export function identityTable(): string {
  return table(
    ["user identity type", "value"],
    Object.entries(IDENTITY_TYPES).map(([kind, type]) => [kind, String(type)]),
  );
}

export function cipherSuites(): string {
  return TLS_PROFILE.ciphers
    .split(":")
    .map((suite) => `- \`${suite}\``)
    .join("\n");
}

export function characterSetTable(): string {
  const rows = CHARACTER_SETS.map(({ term, extensionTerm, description, encoding }) => {
    const isWritten = encoding !== undefined || term === "ISO_IR 192" || term === "ISO_IR 6";
    return [description, term ?? "", extensionTerm ?? "", isWritten ? "yes" : "in ISO_IR 192 instead"];
  });
  return table(["character set", "without code extensions", "with code extensions", "written"], rows);
}

/** The settings that shape what is said on this page. */
export function settingRows(...prefixes: readonly string[]): string {
  const rows = settingsTable().filter(({ path }) => prefixes.some((prefix) => path.startsWith(prefix)));
  return table(
    ["setting", "default", "meaning"],
    rows.map(({ path, default: preset, description }) => [`\`${path}\``, preset, description]),
  );
}

/** Abstract syntaxes that only the toolkit proposes, by name. */
export function toolkitOnly(): string {
  return [...SERVICE_NAMES]
    .filter(([uid]) => !isProposed(uid))
    .map(([, name]) => name)
    .join(", ");
}
