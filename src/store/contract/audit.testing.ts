import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import { verifyAuditTrail } from "../audit-chain.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, submit } from "./support.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const quarantined: AuditEvent = { event: "quarantine-entered", actor, outcome: "success", project: "lung" };

async function trailOf(store: Store) {
  const records = await store.auditRecords({ after: 0, limit: 100 });
  return records.map(({ record }): Readonly<Record<string, unknown>> => JSON.parse(record));
}

const verify = async (store: Store) =>
  verifyAuditTrail((after, limit) => store.auditRecords({ after, limit }), await store.auditHeads());

export const audit: ContractCases = {
  "has a trail that is whole before anything is written": async (store) => {
    expect(await verify(store)).toMatchObject({ count: 0, findings: [] });
  },

  "chains its records, with number, time and the codes of the standard": async (store) => {
    await store.appendAudit({ event: "service-started", actor, outcome: "success" }, 1);
    await Promise.all(
      [2, 3, 4].map((nowMs) =>
        store.appendAudit({ event: "audit-read", actor, outcome: "success", detail: { records: nowMs } }, nowMs),
      ),
    );
    const [first, second, ...others] = await store.auditRecords({ after: 0, limit: 10 });
    expect(JSON.parse(first?.record ?? "")).toEqual({
      actor,
      atMs: 1,
      codes: {
        id: { code: "110100", meaning: "Application Activity" },
        type: { code: "110120", meaning: "Application Start" },
      },
      event: "service-started",
      number: 1,
      outcome: "success",
    });
    expect(second?.previousHash).toBe(first?.hash);
    expect(others.map(({ number }) => number)).toEqual([3, 4]);
    expect(await verify(store)).toEqual({ count: 4, hash: others.at(-1)?.hash, findings: [] });
    expect(await store.auditRecords({ after: 3, limit: 10 })).toHaveLength(1);
  },

  "writes a record with the change it tells of, or neither": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    const delivery = { destination: "a", state: "confirmed", instances: 4, code: undefined } as const;
    const delivered: AuditEvent = { event: "delivery-done", actor, outcome: "success" };
    const stale = { ...lease, token: "stale" };
    expect(await store.recordDelivery(stale, delivery, 1, delivered)).toBe(false);
    const event = { event: "confirmed", detail: { instances: 1 } };
    expect(await store.recordDelivery(lease, delivery, 2, delivered, event)).toBe(true);
    expect((await store.events(lease.jobId)).at(-1)).toEqual({ ...event, atMs: 2 });
    const end = { state: "quarantined", attempts: 0, audit: quarantined } as const;
    expect(await store.settle(stale, end, 3)).toBe(false);
    const change = { ledger: [{ kind: "delivered", sopInstanceUid: "no such" }] } as const;
    await expect(store.settle(lease, { ...end, change }, 4)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await store.settle(lease, end, 5)).toBe(true);
    expect(await trailOf(store)).toMatchObject([
      { event: "delivery-done", atMs: 2 },
      { event: "quarantine-entered", atMs: 5 },
    ]);
  },

  "tells when a project's key is changed, not when it is first used or known": async (store) => {
    const use = (keyId: string, nowMs: number) => {
      const event: AuditEvent = { event: "project-key-changed", actor, outcome: "success", detail: { keyId } };
      return store.useProjectKey({ project: "lung", keyId, force: true, audit: event }, nowMs);
    };
    for (const [index, keyId] of ["aaaa", "aaaa", "bbbb"].entries()) await use(keyId, index);
    expect(await trailOf(store)).toMatchObject([{ event: "project-key-changed", detail: { keyId: "bbbb" } }]);
  },
};
