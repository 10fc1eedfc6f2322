import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { canonicalJson } from "../units/canonical-json.ts";
import {
  type AuditFinding,
  type AuditHead,
  type AuditRecord,
  EMPTY_TRAIL,
  type KeptAuditHead,
  nextAuditRecord,
  verifyAuditTrail,
} from "./audit-chain.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;

/** Records as they are written one after another, by whoever has the head. */
function written(count: number, head: AuditHead = EMPTY_TRAIL, name = "sam"): readonly AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let last = head; records.length < count; ) {
    const event = { event: "audit-read", actor: { ...actor, name }, outcome: "success" } as const;
    const record = nextAuditRecord(last, event, records.length);
    records.push(record);
    last = { count: record.number, hash: record.hash };
  }
  return records;
}

function headOf(records: readonly AuditRecord[]): AuditHead {
  const last = records.at(-1);
  return last === undefined ? EMPTY_TRAIL : { count: last.number, hash: last.hash };
}

const rowOf = (head: AuditHead): KeptAuditHead => ({ where: "row", mayBeBehind: false, ...head });

async function findingsOf(
  records: readonly AuditRecord[],
  heads: readonly KeptAuditHead[] = [],
): Promise<readonly AuditFinding[]> {
  const page = async (after: number, limit: number) => records.filter(({ number }) => number > after).slice(0, limit);
  return (await verifyAuditTrail(page, heads)).findings;
}

/** What somebody else makes of a record, with a hash that fits. */
function forged(records: readonly AuditRecord[], at: number): AuditRecord {
  const [record] = written(1, headOf(records.slice(0, at - 1)), "eve");
  if (record === undefined) throw new Error("nothing was written");
  return record;
}

const trail = written(6);
const row = [rowOf(headOf(trail))];

it("tells of a record that was changed together with its hash", async () => {
  expect(await findingsOf(trail.with(2, forged(trail, 3)), row)).toEqual([{ number: 3, problem: "changed" }]);
});

it("tells of a changed record that the one after it was made to follow", async () => {
  const third = forged(trail, 3);
  const fourth = trail[3];
  if (fourth === undefined) throw new Error("the trail is too short");
  const followed = trail.with(2, third).with(3, { ...fourth, previousHash: third.hash });
  expect(await findingsOf(followed, row)).toEqual([{ number: 4, problem: "changed" }]);
});

it("tells of every record that was changed together with its hash, not of the first alone", async () => {
  const changed = trail.with(1, forged(trail, 2)).with(3, forged(trail, 4));
  expect(await findingsOf(changed, row)).toEqual([
    { number: 2, problem: "changed" },
    { number: 4, problem: "changed" },
  ]);
});

it.each(["", "null", "[]", '{"number":"3"}'])(
  "tells of a record that was overwritten with %j as changed, not as moved",
  async (record) => {
    const [, , third] = trail;
    if (third === undefined) throw new Error("the trail is too short");
    expect(await findingsOf(trail.with(2, { ...third, record }), row)).toEqual([{ number: 3, problem: "changed" }]);
  },
);

it("tells of a record that is none, though its hash was made to fit", async () => {
  const third = forged(trail, 3);
  const hash = createHash("sha256").update(`${third.previousHash}no record`).digest("hex");
  expect(await findingsOf(trail.with(2, { ...third, record: "no record", hash }), row)).toEqual([
    { number: 3, problem: "reordered" },
  ]);
});

it("tells of records that were added without moving the row that keeps the end", async () => {
  const added = [...trail, ...written(2, headOf(trail), "eve")];
  expect(await findingsOf(added, row)).toEqual([{ number: 7, problem: "rewritten", where: "row" }]);
});

it("looks at a long trail to its end", async () => {
  const long = written(1_201);
  const heads = [rowOf(headOf(long))];
  expect(await findingsOf(long, heads)).toEqual([]);
  expect(await findingsOf(long.slice(0, -1), heads)).toEqual([{ number: 1_201, problem: "truncated", where: "row" }]);
  expect(await findingsOf(long.toSpliced(1_100, 1), heads)).toEqual([{ number: 1_101, problem: "removed" }]);
});

it("tells of a hundred broken records at most", async () => {
  const broken = written(150).map((record) => ({ ...record, record: canonicalJson({ number: record.number }) }));
  expect(await findingsOf(broken)).toHaveLength(100);
});

it("takes nothing for forged that others wrote while it was read", async () => {
  const growing = [...written(700)];
  const heads = [rowOf(headOf(growing))];
  const page = async (after: number, limit: number) => {
    growing.push(...written(1, headOf(growing)));
    return growing.slice(after, after + limit);
  };
  const again = async () => [rowOf(headOf(growing))];
  expect(await verifyAuditTrail(page, heads, again)).toEqual({ count: 702, hash: headOf(growing).hash, findings: [] });
});
