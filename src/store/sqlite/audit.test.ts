import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Actor } from "../../units/actor.ts";
import { type AuditFinding, type AuditHead, verifyAuditTrail } from "../audit-chain.ts";
import { auditHeads, auditRecords } from "../sql/audit.ts";
import type { Store } from "../store.ts";
import { openDatabase } from "./database.ts";
import { openSqliteStore } from "./open.ts";
import { openSession } from "./session.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;

/** A trail of five records, copied for each test. */
const template = await temporaryFolder();
afterAll(() => template[Symbol.asyncDispose]());
{
  await using store = await openSqliteStore({ path: join(template.path, "radferry.db") });
  await append(store, 5);
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let path = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, "radferry.db");
  await cp(template.path, folder.path, { recursive: true });
});
afterEach(() => folder[Symbol.asyncDispose]());

async function append(store: Store, count: number, by: Actor = actor): Promise<void> {
  for (let atMs = 0; atMs < count; atMs += 1)
    await store.appendAudit({ event: "audit-read", actor: by, outcome: "success", detail: { turn: atMs } }, atMs);
}

async function headOf(): Promise<AuditHead> {
  await using store = await openSqliteStore({ path });
  const [head] = await store.auditHeads();
  if (head === undefined) throw new Error("no head is kept");
  return head;
}

/** Does something to the database that only its owner can, then verifies the trail. */
async function findingsAfter(sql: string): Promise<readonly AuditFinding[]> {
  const database = openDatabase(path, 0);
  try {
    database.exec(`DROP TRIGGER audit_event_changed; DROP TRIGGER audit_event_removed; ${sql}`);
    const session = openSession(database, path);
    const page = (after: number, limit: number) => auditRecords(session, { after, limit });
    return (await verifyAuditTrail(page, await auditHeads(session))).findings;
  } finally {
    database.close();
  }
}

const SWAP = `
  UPDATE audit_events SET number = 99 WHERE number = 2; UPDATE audit_events SET number = 2 WHERE number = 3;
  UPDATE audit_events SET number = 3 WHERE number = 99;`;
const HEAD_OF_FOUR = "UPDATE audit_head SET count = 4, hash = (SELECT hash FROM audit_events WHERE number = 4);";
const RENUMBERED = `
  DELETE FROM audit_events WHERE number = 2;
  UPDATE audit_events SET number = -number; UPDATE audit_events SET number = -number WHERE number = -1;
  UPDATE audit_events SET number = -number - 1 WHERE number < 0; ${HEAD_OF_FOUR}`;

it.each<readonly [string, string, readonly AuditFinding[]]>([
  ["nothing", "", []],
  [
    "a changed record",
    "UPDATE audit_events SET record = replace(record, 'sam', 'eve') WHERE number = 3",
    [{ number: 3, problem: "changed" }],
  ],
  [
    "a changed hash",
    "UPDATE audit_events SET hash = (SELECT hash FROM audit_events WHERE number = 1) WHERE number = 3",
    [{ number: 3, problem: "changed" }],
  ],
  ["a removed record", "DELETE FROM audit_events WHERE number = 3", [{ number: 3, problem: "removed" }]],
  ["a removed beginning", "DELETE FROM audit_events WHERE number < 3", [{ number: 1, problem: "removed" }]],
  [
    "records in another order",
    SWAP,
    [
      { number: 2, problem: "reordered" },
      { number: 3, problem: "reordered" },
    ],
  ],
  [
    "a removed record with the later ones moved up",
    RENUMBERED,
    [
      { number: 2, problem: "reordered" },
      { number: 3, problem: "reordered" },
      { number: 4, problem: "reordered" },
      { number: 5, problem: "truncated", where: "file" },
    ],
  ],
  [
    "a removed end",
    "DELETE FROM audit_events WHERE number = 5",
    [
      { number: 5, problem: "truncated", where: "row" },
      { number: 5, problem: "truncated", where: "file" },
    ],
  ],
  [
    "a removed end that the head's row was taken back to",
    `DELETE FROM audit_events WHERE number = 5; ${HEAD_OF_FOUR}`,
    [{ number: 5, problem: "truncated", where: "file" }],
  ],
  ["a record that the head's row knows nothing of", HEAD_OF_FOUR, [{ number: 5, problem: "rewritten", where: "row" }]],
  [
    "everything removed, the head's row too",
    "DELETE FROM audit_events; DELETE FROM audit_head",
    [{ number: 5, problem: "truncated", where: "file" }],
  ],
])("tells of %s", async (_, sql, findings) => {
  expect(await findingsAfter(sql)).toEqual(findings);
});

it("keeps the file that tells of a removed end, however much is written afterwards", async () => {
  await findingsAfter(`DELETE FROM audit_events WHERE number = 5; ${HEAD_OF_FOUR}`);
  await using store = await openSqliteStore({ path });
  await append(store, 3);
  const page = (after: number, limit: number) => store.auditRecords({ after, limit });
  const { count, findings } = await verifyAuditTrail(page, await store.auditHeads());
  expect({ count, findings }).toEqual({ count: 7, findings: [{ number: 5, problem: "rewritten", where: "file" }] });
});

it("tells when the file that keeps the end is gone, until something is written", async () => {
  await rm(`${path}.audit-head`);
  expect(await findingsAfter("")).toEqual([{ number: 5, problem: "unwitnessed", where: "file" }]);
});

it("sees that a whole trail was written anew by the head that somebody noted elsewhere, and only by that", async () => {
  const noted = await headOf();
  expect(await findingsAfter("DELETE FROM audit_events; DELETE FROM audit_head")).not.toEqual([]);
  await rm(`${path}.audit-head`);
  await using store = await openSqliteStore({ path });
  await append(store, 6, { ...actor, name: "eve" });
  const page = (after: number, limit: number) => store.auditRecords({ after, limit });
  const heads = await store.auditHeads();
  expect((await verifyAuditTrail(page, heads)).findings).toEqual([]);
  const given = { ...noted, where: "given", mayBeBehind: true } as const;
  expect((await verifyAuditTrail(page, [...heads, given])).findings).toEqual([
    { number: 5, problem: "rewritten", where: "given" },
  ]);
});

it("lets nobody change or delete a record by mistake", () => {
  const database = openDatabase(path, 0);
  expect(() => database.exec("DELETE FROM audit_events")).toThrow("append only");
  expect(() => database.exec("UPDATE audit_events SET record = ''")).toThrow("append only");
  database.close();
});
