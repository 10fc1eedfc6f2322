import { randomUUID } from "node:crypto";
import { stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { STATUS } from "../network/dimse/status.ts";
import { abortAfter } from "../units/abort.ts";
import { isLoopback } from "../units/loopback.ts";
import { CHECK_TIMEOUT_MS } from "./archives.ts";
import type { ArchiveFacts, CertificateFacts, DimseFacts, OperationsContext } from "./context.ts";
import type { DoctorCheck, DoctorDocument } from "./documents.ts";
import { checkWritable, existingPart } from "./writable.ts";

/** No clock that is right is before this. */
const EARLIEST_SANE_MS = Date.UTC(2025, 0, 1);
/** The disk's clock and ours may differ by this much. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Issuers need their time. */
const CERTIFICATE_NOTICE_MS = 30 * 86_400_000;

/** A listener may be bound to them; nobody can connect to one. RFC 1122 3.2.1.3, RFC 4291 2.5.2. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** What it answers is what the check says; what it throws, why it fails. */
export type Examination = () => Promise<string>;

/**
 * Asks everything that must be right before studies can move; every check is made, whatever the others say.
 * @param onCheck told of each as it is made: a peer that does not answer takes its time
 */
export async function examine(
  context: OperationsContext,
  signal: AbortSignal,
  onCheck: (made: DoctorCheck) => void | Promise<void> = () => {},
): Promise<DoctorDocument> {
  const checks: DoctorCheck[] = [];
  for await (const made of examineAll(context, signal)) {
    checks.push(made);
    await onCheck(made);
  }
  const letters = [...context.archives].flatMap(([archive, facts]) =>
    facts.dimse === undefined ? [] : [{ archive, line: letterTo(context, facts, facts.dimse) }],
  );
  return { ok: checks.every(({ ok }) => ok), checks, letters };
}

async function* examineAll(context: OperationsContext, signal: AbortSignal): AsyncGenerator<DoctorCheck> {
  yield await check("home can be written", () => writable(context.home));
  yield await check("store can be written", () => writableStore(context));
  yield await check("staging can be written", () => writable(context.staging.path));
  yield await check("staging has free space", () => roomInStaging(context));
  yield await check("clock is sane", () => saneClock(context));
  const { tlsListener } = context;
  if (tlsListener !== undefined)
    yield await check("our listener's certificate is in order", () => inOrder(context, tlsListener.certificate()));
  for (const [name, facts] of context.archives) yield* examineArchive(context, name, facts, signal);
  for (const [name, destination] of context.destinations) {
    yield* examineCertificates(context, `destination ${name}`, destination, signal);
    yield await check(`destination ${name} takes studies`, async () => {
      using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
      return await destination.check(limited);
    });
    yield* examineOwn(`destination ${name}`, destination, signal);
  }
  yield* examineOwn("", context, signal);
}

async function* examineArchive(
  context: OperationsContext,
  name: string,
  facts: ArchiveFacts,
  signal: AbortSignal,
): AsyncGenerator<DoctorCheck> {
  const { archive, dimse } = facts;
  const nobody = { by: "accession-number", accessionNumber: "RADFERRYDOCTOR", patientId: "RADFERRYDOCTOR" } as const;
  yield* examineCertificates(context, `archive ${name}`, facts, signal);
  yield await check(`archive ${name} answers${dimse ? " C-ECHO" : ""}`, () =>
    timed(signal, (limited) => archive.echo(limited)),
  );
  yield await check(`archive ${name} answers ${dimse ? "C-FIND" : "queries"}`, () =>
    timed(signal, (limited) => archive.findStudies(nobody, limited)),
  );
  if (dimse?.retrieve === "move") {
    yield await check(`our listener can be reached by archive ${name}`, async () => reachable(context, facts, dimse));
    yield await check(`archive ${name} knows us as a move destination`, () => rehearseMove(context, facts, signal));
  } else {
    const what = dimse === undefined ? "lets instances be retrieved" : "answers C-GET";
    yield await check(`archive ${name} ${what}`, () => rehearseGet(facts, signal));
  }
  yield* examineOwn(`archive ${name}`, facts, signal);
}

async function* examineOwn(
  peer: string,
  { checks = [] }: Pick<ArchiveFacts, "checks">,
  signal: AbortSignal,
): AsyncGenerator<DoctorCheck> {
  for (const { what, examine: ask } of checks) {
    const examination = async (): Promise<string> => {
      using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
      return await ask(limited);
    };
    yield await check(`${peer} ${what}`.trim(), examination);
  }
}

type CertificateHolder = Pick<ArchiveFacts, "certificates">;

/** None for a peer without TLS. */
async function* examineCertificates(
  context: OperationsContext,
  peer: string,
  holder: CertificateHolder,
  signal: AbortSignal,
): AsyncGenerator<DoctorCheck> {
  const { certificates } = holder;
  if (certificates === undefined) return;
  const examination = async (): Promise<string> => {
    using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
    return await inOrder(context, certificates(limited));
  };
  yield await check(`TLS with ${peer} is in order`, examination);
}

async function inOrder({ clock }: OperationsContext, asked: Promise<CertificateFacts>): Promise<string> {
  const { oursEndMs, theirsEndMs } = await asked;
  const ends = [oursEndMs, theirsEndMs].filter((end) => end !== undefined);
  const firstEndMs = Math.min(...ends);
  const validUntil = new Date(firstEndMs).toISOString();
  const nowMs = clock.nowMs();
  if (firstEndMs < nowMs) throw new GatewayError("CERTIFICATE_EXPIRED", { validUntil });
  if (firstEndMs < nowMs + CERTIFICATE_NOTICE_MS) throw new GatewayError("CERTIFICATE_EXPIRES_SOON", { validUntil });
  return `yes, until ${validUntil}`;
}

const NOT_SEEN =
  "not proven: a running service has the listener, and the archive gives no counts; ask again while it is stopped";
const NOT_PROVEN = "not proven: the archive lists no study to try with";

/** The proof is that the archive tries to send: whether it reached our listener, or by its own count where another process listens. */
async function rehearseMove(
  context: OperationsContext,
  { archive }: ArchiveFacts,
  signal: AbortSignal,
): Promise<string> {
  await using listener = await context.listen();
  using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
  const rehearsal = await archive.rehearseRetrieval(limited);
  if (rehearsal.kind === "nothing-to-try") return NOT_PROVEN;
  if (rehearsal.status === STATUS.moveDestinationUnknown) throw new GatewayError("MOVE_DESTINATION_UNKNOWN");
  const tried = (rehearsal.completed ?? 0) + (rehearsal.failed ?? 0);
  if ((listener?.arrivals ?? tried) > 0) return "yes: it sent to our listener";
  if (listener === undefined) return NOT_SEEN;
  throw new GatewayError("MOVE_DESTINATION_UNREACHED");
}

async function rehearseGet({ archive }: ArchiveFacts, signal: AbortSignal): Promise<string> {
  using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
  const rehearsal = await archive.rehearseRetrieval(limited);
  if (rehearsal.kind === "nothing-to-try") return NOT_PROVEN;
  if ((rehearsal.completed ?? 0) + (rehearsal.failed ?? 0) > 0) return "yes";
  throw new GatewayError("ARCHIVE_UNABLE");
}

export async function check(name: string, examination: Examination): Promise<DoctorCheck> {
  try {
    return { check: name, ok: true, message: await examination() };
  } catch (thrown) {
    const { code, message, remedy, details } = toGatewayError(thrown).toJSON();
    const told = details.validUntil === undefined ? message : `${message} It is valid until ${details.validUntil}.`;
    return { check: name, ok: false, code, message: told, remedy };
  }
}

async function timed(signal: AbortSignal, ask: (limited: AbortSignal) => Promise<unknown>): Promise<string> {
  using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
  await ask(limited);
  return "yes";
}

async function writable(folder: string): Promise<string> {
  await checkWritable(folder);
  return "yes";
}

/** A permit of nobody else's, taken and returned. @throws GatewayError STORE_FULL, STORE_UNAVAILABLE */
async function writableStore({ store, random, clock }: OperationsContext): Promise<string> {
  const holder = Buffer.from(random.bytes(8)).toString("hex");
  const resource = `doctor:${holder}`;
  await store.takePermit({ resource, limit: 1, holder, node: holder }, CHECK_TIMEOUT_MS, clock.nowMs());
  await store.returnPermit(resource, holder);
  return "yes";
}

async function roomInStaging({ disk, staging }: OperationsContext): Promise<string> {
  const freeBytes = await disk.freeBytes(await existingPart(staging.path));
  if (freeBytes < staging.reserveBytes) throw new GatewayError("STAGING_FULL");
  return `${(freeBytes / 1e9).toFixed(0)} GB free, ${(staging.reserveBytes / 1e9).toFixed(0)} GB in reserve`;
}

/** A wrong clock spoils waiting times and receipts: it is held against a lower bound and against the disk's. */
async function saneClock({ clock, home }: OperationsContext): Promise<string> {
  const probe = join(home, `.doctor-${randomUUID()}`);
  await writeFile(probe, "");
  const { mtimeMs } = await stat(probe);
  await unlink(probe);
  const nowMs = clock.nowMs();
  if (nowMs < EARLIEST_SANE_MS || Math.abs(nowMs - mtimeMs) > CLOCK_TOLERANCE_MS) throw new GatewayError("CLOCK_WRONG");
  return new Date(nowMs).toISOString();
}

function reachable(context: OperationsContext, facts: ArchiveFacts, { address }: DimseFacts): string {
  const { host, port, isTls } = listenerFor(context, facts);
  if (isLoopback(host) && !isLoopback(address.host)) throw new GatewayError("LISTENER_ON_LOOPBACK");
  const inTheClear =
    facts.certificates === undefined ? "" : " without TLS: what the archive sends can be read on the way";
  return `listens on ${host}:${port}${isTls ? " with TLS" : inTheClear}`;
}

/** An archive that we speak to by TLS is told of our port with TLS, where there is one. */
function listenerFor({ ownAddress, tlsListener }: OperationsContext, { certificates }: CertificateHolder) {
  const { host, port } = ownAddress;
  if (tlsListener === undefined || (certificates === undefined && !tlsListener.only))
    return { host, port, isTls: false, asksForCertificate: false };
  return { host, port: tlsListener.port, isTls: true, asksForCertificate: tlsListener.asksForCertificate };
}

/** One line for the archive's administrator: all they need to enter. */
function letterTo(context: OperationsContext, facts: ArchiveFacts, { address, retrieve }: DimseFacts): string {
  const { aeTitle } = context.ownAddress;
  const { host, port, isTls, asksForCertificate } = listenerFor(context, facts);
  const tls = isTls ? ` with TLS${asksForCertificate ? ", showing its certificate," : ""}` : "";
  const listener = isLoopback(host) || EVERY_ADDRESS.has(host) ? "<this machine's address>" : host;
  const move = `register the AE title ${aeTitle} at ${listener}, port ${port}${tls}, as a move destination that accepts C-STORE of all storage classes`;
  const get = `register the AE title ${aeTitle} at ${listener} as a client`;
  const allow =
    retrieve === "move" ? "C-ECHO, C-FIND and C-MOVE (study root)" : "C-ECHO, C-FIND and C-GET (study root)";
  return `On ${address.aeTitle} (${address.host}:${address.port}): ${retrieve === "move" ? move : get}; allow it ${allow}.`;
}
