import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import type { AuditEvent } from "../units/audit.ts";
import { readAudit, verifyAudit } from "./audit.ts";
import { contextOf } from "./context.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const opened = new AsyncDisposableStack();
let store: Store;
beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  store = opened.use(await openSqliteStore({ path: join(folder.path, "radferry.db") }));
  await append(5);
});
afterAll(() => opened.disposeAsync());

async function append(records: number): Promise<void> {
  const event = { event: "settings-reloaded", actor, outcome: "success" } as const;
  for (let atMs = 0; atMs < records; atMs += 1) await store.appendAudit(event, atMs);
}

/** Who looks at the trail of this store; `told` is what is written of the look. */
function lookedAt(told: AuditEvent[] = [], of: Partial<Store> = {}) {
  const { auditHeads, auditRecords } = store;
  return contextOf({ role: "admin", told, store: { auditHeads, auditRecords, ...of } });
}

it("reads the last records, or the last before one, and no others", async () => {
  const numbers = async (page: { readonly limit: number; readonly before?: number }) =>
    (await readAudit(lookedAt(), page)).map(({ number }) => number);
  expect(await numbers({ limit: 2 })).toEqual([4, 5]);
  expect(await numbers({ limit: 99 })).toEqual([1, 2, 3, 4, 5]);
  expect(await numbers({ limit: 2, before: 4 })).toEqual([2, 3]);
  expect(await numbers({ limit: 2, before: 2 })).toEqual([1]);
  expect(await numbers({ limit: 2, before: 1 })).toEqual([]);
  expect(await numbers({ limit: 2, before: 99 })).toEqual([4, 5]);
});

it("reads as far as the trail goes, however far the file beside it has come", async () => {
  const auditHeads = async () =>
    (await store.auditHeads()).map((head) => (head.where === "file" ? { ...head, count: 1 } : head)).reverse();
  expect(await readAudit(lookedAt([], { auditHeads }), { limit: 2 })).toMatchObject([{ number: 4 }, { number: 5 }]);
});

it("writes down that somebody looks before it shows anything", async () => {
  const nothingToShow = contextOf({ role: "admin", told: [] });
  const notWritten = { ...nothingToShow, audit: { record: () => Promise.reject(new Error("the disk is full")) } };
  await expect(readAudit(notWritten, { limit: 1 })).rejects.toThrow("the disk is full");
});

it("finds a trail whole that the service goes on writing to", async () => {
  let isWritten = false;
  const auditRecords: Store["auditRecords"] = async (page) => {
    if (!isWritten) await append(3);
    isWritten = true;
    return await store.auditRecords(page);
  };
  const told: AuditEvent[] = [];
  const verdict = await verifyAudit(lookedAt(told, { auditRecords }), undefined);
  expect(verdict).toMatchObject({ ok: true, records: 8, findings: [] });
  expect(told).toMatchObject([{ event: "audit-read", detail: { verified: 8, findings: 0 } }]);
});

it("compares the trail with what somebody noted", async () => {
  const { records, head } = await verifyAudit(lookedAt(), undefined);
  expect(await verifyAudit(lookedAt(), { count: records, hash: head })).toMatchObject({ ok: true });
  const told: AuditEvent[] = [];
  expect(await verifyAudit(lookedAt(told), { count: records - 1, hash: head })).toMatchObject({
    ok: false,
    findings: [{ number: records - 1, problem: "rewritten", where: "given" }],
  });
  expect(told).toMatchObject([{ event: "audit-read", detail: { verified: records, findings: 1 } }]);
});
