import type { IntakeStore, WaitingCommitment } from "../intake.ts";
import { integer, recordReader, text } from "./columns.ts";
import type { Session } from "./session.ts";

/** Of one sender, waiting for their answers. */
const WAITING_OF_SENDER = 1_000;

const waiting = recordReader<Omit<WaitingCommitment, "instances"> & { readonly instances: string }>({
  number: integer,
  transactionUid: text,
  callingAeTitle: text,
  calledAeTitle: text,
  instances: text,
  createdAtMs: integer,
  attempts: integer,
});

export async function addCommitment(
  session: Session,
  { transactionUid, callingAeTitle, calledAeTitle, instances }: Parameters<IntakeStore["addCommitment"]>[0],
  nowMs: number,
): Promise<"added" | "known" | "full"> {
  const row = await session.get("openCommitments", { callingAeTitle, limit: WAITING_OF_SENDER });
  if (Number(row?.open) >= WAITING_OF_SENDER) return "full";
  // Two UIDs each: half as long as an object, of thousands.
  const lines = instances.map(({ sopClassUid, sopInstanceUid }) => `${sopClassUid} ${sopInstanceUid}`).join("\n");
  const named = { transactionUid, callingAeTitle, calledAeTitle, instances: lines, nowMs };
  return (await session.run("insertCommitment", named)) === 0 ? "known" : "added";
}

export async function nextCommitmentDueAtMs(session: Session): Promise<number | undefined> {
  const due = (await session.get("nextCommitmentDue"))?.dueAtMs;
  return typeof due === "number" ? due : undefined;
}

export async function claimCommitments(
  session: Session,
  limit: number,
  leaseMs: number,
  nowMs: number,
): Promise<readonly WaitingCommitment[]> {
  const rows = await session.all("claimCommitments", { limit, leaseUntil: nowMs + leaseMs, nowMs });
  const claimed = rows.map((row) => {
    const { instances, ...commitment } = waiting(row);
    return { ...commitment, instances: instances.split("\n").map(referenceOf) };
  });
  return claimed.sort((one, other) => one.number - other.number);
}

export async function releaseCommitment(session: Session, number: number, nowMs: number): Promise<void> {
  await session.run("releaseCommitment", { number, nowMs });
}

export async function hurryCommitments(session: Session, nowMs: number): Promise<void> {
  await session.run("hurryCommitments", { nowMs });
}

function referenceOf(line: string) {
  const [sopClassUid = "", sopInstanceUid = ""] = line.split(" ");
  return { sopClassUid, sopInstanceUid };
}

export async function postponeCommitment(session: Session, number: number, dueAtMs: number): Promise<void> {
  await session.run("postponeCommitment", { number, dueAtMs });
}

export async function endCommitment(session: Session, number: number): Promise<void> {
  await session.run("endCommitment", { number });
}

export async function committableClasses(
  session: Session,
  sopInstanceUids: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const classes: (string | undefined)[] = [];
  for (const sopInstanceUid of sopInstanceUids) {
    const row =
      (await session.get("keptInstance", { sopInstanceUid })) ??
      (await session.get("deliveredInstance", { sopInstanceUid }));
    classes.push(row === undefined ? undefined : String(row.sopClassUid));
  }
  return classes;
}
