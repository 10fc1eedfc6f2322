import { PROBLEMS } from "../network/dimse/problems.ts";
import { REJECTION_MEANINGS } from "../network/upper-layer/outcomes.ts";

const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isCode = matching(/^[A-Z][A-Z0-9_]{1,63}$/);
const isWord = matching(/^[a-z][a-z-]{0,39}$/);
const isDimseStatus = matching(/^[0-9A-F]{4}H$/);

/** What a kind of log field may hold. A value of another form is a mistake, and mistakes are where identifiers leak. */
const KINDS = {
  /** Counts, sizes, durations, ports, statuses of HTTP. */
  number: isNumber,
  /** Of HTTP, and of DIMSE as PS3.7 C writes it. */
  status: (value: unknown) => isNumber(value) || isDimseStatus(value),
  flag: (value: unknown) => typeof value === "boolean",
  /** Error codes of the registry and of Node; breaches of the protocol. */
  code: isCode,
  /** Why: a code, a word of the program's own, or what a rejection or an abort gives. PS3.8 9.3.4, 9.3.8. */
  reason: (value: unknown) => isNumber(value) || isCode(value) || isWord(value),
  /** How many times each code. */
  codeCounts: matching(/^[A-Z][A-Z0-9_]{1,63} \d+(?:, [A-Z][A-Z0-9_]{1,63} \d+)*$/),
  /** PS3.8 9.3. */
  pdu: matching(/^(?:A-ASSOCIATE-(?:RQ|AC|RJ)|P-DATA-TF|A-RELEASE-(?:RQ|RP)|A-ABORT)$/),
  /** What is wrong with a DIMSE message. */
  problem: (value: unknown) => PROBLEMS.some((problem) => problem === value),
  /** What a rejection says. PS3.8 9.3.4. */
  meaning: (value: unknown) => REJECTION_MEANINGS.has(value),
  /** A word of the program's own: states, stages, modes. */
  word: isWord,
  /** A DIMSE service. PS3.7 9.1. */
  service: matching(/^(?:C-)?(?:echo|find|move|get|store)$/i),
  /** A name from the settings. */
  name: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  /** An id the gateway made up itself. */
  id: matching(/^[A-Za-z0-9_-]{1,64}$/),
  /** PS3.5 6.2, AE. */
  aeTitle: matching(/^[\x20-\x5b\x5d-\x7e]{1,16}$/),
  /** With the zone of a link-local address, RFC 4007 11. */
  host: matching(/^[A-Za-z0-9._:[\]-]{1,253}(?:%[A-Za-z0-9._-]{1,32})?$/),
  /** As `archives[0].address`. */
  settingPath: matching(/^[A-Za-z0-9_.[\]-]{1,200}$/),
  /** `AET@host:port`. */
  address: matching(/^[\x20-\x3f\x41-\x5b\x5d-\x7e]{1,16}@[A-Za-z0-9._:[\]-]{1,253}:\d{1,5}$/),
  /** Of a query's text, which itself is in no log. */
  digest: matching(/^sha256:[0-9a-f]{12}$/),
  /** SOP classes and transfer syntaxes of the standard. PS3.6 annex A. */
  registeredUid: matching(/^1\.2\.840\.10008(?:\.\d+)+$/),
  /** Made by `errorFields`: codes and class names. */
  causes: matching(/^[A-Za-z0-9_]{1,64}(?: < [A-Za-z0-9_]{1,64})*$/),
  /** Made by `errorFields`: file names and lines of the program. */
  frames: matching(/^[\w.-]+:\d+(?: < [\w.-]+:\d+)*$/),
} as const satisfies Record<string, (value: unknown) => boolean>;

type Kind = keyof typeof KINDS;

const NAMES_BY_KIND: Readonly<Record<Kind, readonly string[]>> = {
  number: [
    "accepted",
    "accessions",
    "associations",
    "attempts",
    "bytes",
    "checks",
    "contextId",
    "count",
    "delayMs",
    "delivered",
    "durationMs",
    "excluded",
    "expected",
    "exitCode",
    "failed",
    "files",
    "freeBytes",
    "httpPort",
    "index",
    "instances",
    "jobs",
    "line",
    "maximum",
    "messageId",
    "missing",
    "pid",
    "pduLength",
    "port",
    "position",
    "priority",
    "problems",
    "received",
    "rejectReason",
    "rejectSource",
    "remaining",
    "reserveBytes",
    "resumed",
    "rows",
    "series",
    "sizeBytes",
    "source",
    "steps",
    "studies",
    "timeoutMs",
    "waiting",
    "withdrawals",
    "workers",
  ],
  status: ["status"],
  flag: ["aborted", "done", "joined", "listening", "ok", "partial"],
  code: ["code", "signal", "violation"],
  reason: ["reason"],
  codeCounts: ["passedOver"],
  pdu: ["unexpected"],
  problem: ["problem"],
  meaning: ["meaning"],
  word: [
    "by",
    "check",
    "class",
    "command",
    "kind",
    "mode",
    "model",
    "retrieve",
    "role",
    "stage",
    "state",
    "step",
    "verdict",
    "what",
  ],
  name: ["archive", "channel", "destination", "node", "profile", "project", "queue", "version", "worker"],
  id: ["acquisition", "association", "cohort", "device", "job", "keyId", "revision", "task", "transfer"],
  aeTitle: ["aeTitle", "calledAeTitle", "callingAeTitle"],
  host: ["host", "remoteHost"],
  address: ["address", "peer"],
  settingPath: ["setting"],
  digest: ["query"],
  registeredUid: ["abstractSyntax", "sopClass", "transferSyntax"],
  service: ["service"],
  causes: ["cause", "causes"],
  frames: ["frames"],
};

/** The only fields that pass, by name, each with the test its value must pass. */
const FIELDS = new Map<string, (value: unknown) => boolean>();
for (const kind of Object.keys(NAMES_BY_KIND) as Kind[]) {
  for (const name of NAMES_BY_KIND[kind]) FIELDS.set(name, KINDS[kind]);
}

export function mayPass(name: string, value: unknown): boolean {
  return FIELDS.get(name)?.(value) ?? false;
}

function matching(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && pattern.test(value);
}

/** Whether the list has it: another one never passes. */
export function isListed(name: string): boolean {
  return FIELDS.has(name);
}
