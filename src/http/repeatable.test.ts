import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { systemClock } from "../units/clock.ts";
import { answeredOnce } from "./repeatable.ts";

const asked = { key: "k", asker: "token-1", asked: ["POST", "/x", ""] };

async function withStore(use: (services: Parameters<typeof answeredOnce>[0]) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: `${folder.path}/radferry.db` });
  await use({ store, clock: systemClock });
}

it("does not begin a second time while the first request is under way", async () => {
  await withStore(async (services) => {
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const running = answeredOnce(services, asked, async () => {
      begun.resolve();
      await first.promise;
      return { status: 200, body: "one" };
    });
    await begun.promise;
    const again = answeredOnce(services, asked, () => Promise.reject(new Error("it was carried out twice")));
    await expect(again).rejects.toMatchObject({ code: "IDEMPOTENCY_UNFINISHED" });
    first.resolve();
    expect(await running).toMatchObject({ body: "one", isRepeated: false });
    expect(await answeredOnce(services, asked, () => Promise.reject())).toMatchObject({
      body: "one",
      isRepeated: true,
    });
  });
});

it("lets what failed be tried again", async () => {
  await withStore(async (services) => {
    const failing = answeredOnce(services, asked, () => Promise.reject(new GatewayError("PROJECT_UNKNOWN")));
    await expect(failing).rejects.toMatchObject({ code: "PROJECT_UNKNOWN" });
    expect(await answeredOnce(services, asked, async () => ({ status: 200, body: "two" }))).toMatchObject({
      body: "two",
    });
  });
});

it("does not keep an answer without end, and does not do it again either", async () => {
  await withStore(async (services) => {
    const body = "x".repeat(600_000);
    expect((await answeredOnce(services, asked, async () => ({ status: 200, body }))).body).toBe(body);
    const again = answeredOnce(services, asked, async () => ({ status: 200, body: "again" }));
    await expect(again).rejects.toMatchObject({ code: "IDEMPOTENCY_UNFINISHED" });
  });
});

it("carries out whatever comes without a key", async () => {
  await withStore(async (services) => {
    const carriedOut: number[] = [];
    for (const turn of [1, 2])
      await answeredOnce(services, { ...asked, key: undefined }, async () => {
        carriedOut.push(turn);
        return { status: 200, body: "" };
      });
    expect(carriedOut).toEqual([1, 2]);
  });
});
