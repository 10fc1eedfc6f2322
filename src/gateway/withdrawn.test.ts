import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openWithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { WithdrawalStore } from "../store/withdrawals.ts";
import { withdrawnCheck } from "./withdrawn.ts";

async function keyFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "withdrawn-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "keys", "withdrawn.key");
}

/** A list that one patient is on, under one key. */
async function listUnder(path: string): Promise<Pick<WithdrawalStore, "isWithdrawn">> {
  const key = await openWithdrawnKey(path);
  return {
    async isWithdrawn({ project, digest, keyId }) {
      if (keyId !== key.id) throw new GatewayError("WITHDRAWN_KEY_OTHER", { keyId, wanted: key.id });
      return project === "lung" && digest === key.digest(project, "P1");
    },
  };
}

it("knows a patient who was withdrawn by the key of the home", async () => {
  const path = await keyFile();
  const check = withdrawnCheck(await listUnder(path), path);
  expect(await check("lung", "P1")).toBe(true);
  expect(await check("lung", "P2")).toBe(false);
  expect(await check("heart", "P1")).toBe(false);
});

it("refuses to say anything once the key is lost, and reads the one that is put back", async () => {
  const path = await keyFile();
  const store = await listUnder(path);
  const kept = await readFile(path);
  await rm(path);
  const check = withdrawnCheck(store, path);
  await expect(check("lung", "P1")).rejects.toMatchObject({ code: "WITHDRAWN_KEY_OTHER" });
  await writeFile(path, kept, { mode: 0o600 });
  expect(await check("lung", "P1")).toBe(true);
});
