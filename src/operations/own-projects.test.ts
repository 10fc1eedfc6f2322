import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { submit } from "../store/contract/support.testing.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import { systemClock } from "../units/clock.ts";
import { seededRandom } from "../units/random.ts";
import { contextOf } from "./context.testing.ts";
import { createOperations } from "./create-operations.ts";
import { createInquiries } from "./inquiries.ts";
import { actorOfSecret, createToken } from "./tokens.ts";

const HEART: Pick<Actor, "projects"> = { projects: ["heart"] };

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: `${folder.path}/radferry.db` });
  await work(store);
}

it("tells who is limited to some projects of what changes in them alone, and how far that went", () =>
  withStore(async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }], { project: "heart" });
    await submit(store, [{ studyInstanceUid: "1.2" }], { project: "lung" });
    const context = contextOf({ role: "viewer", told: [], store });
    const operations = createOperations({ ...context, actor: { ...context.actor, ...HEART } });
    const { changes, last } = await operations.studyChanges({ after: 0, limit: 9 });
    expect([changes.map(({ study }) => study.project), last]).toEqual([["heart"], 2]);
  }));

it("lists inquiries to nobody who may not see their project", async () => {
  await using inquiries = createInquiries({ clock: systemClock, random: seededRandom(1) });
  for (const project of ["lung", "heart"]) inquiries.beginPlan({ project, total: 0 }, async () => ({}) as never);
  const context = contextOf({ role: "operator", told: [] });
  const listed = await createOperations({
    ...context,
    inquiries,
    actor: { ...context.actor, ...HEART },
  }).listInquiries();
  expect(listed.map(({ project }) => project)).toEqual(["heart"]);
});

it("knows who holds a token, with the projects that it is for, until its time is over", () =>
  withStore(async (store) => {
    let nowMs = 0;
    const clock = { ...systemClock, nowMs: () => nowMs };
    const projects = new Map([["heart", {} as never]]);
    const context = { ...contextOf({ role: "admin", told: [], store }), clock, projects };
    const { token } = await createToken(context, { name: "pat", role: "viewer", days: 1, ...HEART });
    nowMs = 86_399_999;
    expect((await actorOfSecret(context, token))?.actor).toEqual({
      name: "pat",
      kind: "token",
      role: "viewer",
      ...HEART,
    });
    nowMs += 1;
    expect(await actorOfSecret(context, token)).toBeUndefined();
  }));
