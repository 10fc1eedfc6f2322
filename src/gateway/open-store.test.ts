import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../test/peers/postgres.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { loadSettings } from "../config/load-settings.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { openGateway } from "./open-gateway.ts";
import { storeChecks } from "./open-store.ts";
import { restoreHome } from "./restore-home.ts";

describe.runIf(requirePeer("initdb"))("a home whose store is on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  async function settingsIn(folder: string) {
    const file = join(folder, "radferry.yaml");
    await writeFile(join(folder, "url"), `postgres://${server.user}@127.0.0.1:${server.port}/${server.user}\n`);
    await chmod(join(folder, "url"), 0o600);
    await writeFile(file, "home: home\nstore: { kind: postgres, urlFile: url, connections: 3 }\n");
    return (await loadSettings({ file, environment: {}, cwd: folder })).settings;
  }

  it("is worked on through its operations, from this process and the next", async () => {
    await using folder = await temporaryFolder();
    const settings = await settingsIn(folder.path);
    for (const mode of ["client", "client"] as const) {
      await using gateway = await openGateway({ settings, mode, logger: silentLogger });
      expect(await Array.fromAsync(gateway.operations.listStudies({}))).toEqual([]);
    }
  });

  it("is copied by the server's own tools: no backup is rehearsed, and none goes to the audit trail", async () => {
    await using folder = await temporaryFolder();
    const settings = await settingsIn(folder.path);
    await using gateway = await openGateway({ settings, mode: "client", logger: silentLogger });
    const { operations } = gateway;
    const file = join(folder.path, "backup.db");
    for (const isRehearsal of [true, false])
      await expect(operations.backUp(file, { isRehearsal })).rejects.toMatchObject({ code: "STORE_BACKUP_ELSEWHERE" });
    expect((await readdir(folder.path)).filter((name) => name.startsWith("backup"))).toEqual([]);
    const records = await operations.readAudit({ limit: 100 });
    expect(records.map(({ event }) => event)).not.toContain("backup-made");
  });

  it("has its clock examined, and is not restored from a file", async () => {
    await using folder = await temporaryFolder();
    const settings = await settingsIn(folder.path);
    const off = { ...systemClock, nowMs: () => systemClock.nowMs() + 60_000 };
    const [check] = storeChecks(settings, systemClock);
    const [checkOff] = storeChecks(settings, off);
    const { signal } = new AbortController();
    expect(await check?.examine(signal)).toContain("yes");
    await expect(checkOff?.examine(signal)).rejects.toMatchObject({ code: "STORE_CLOCK_DIFFERS" });
    await expect(restoreHome(join(folder.path, "url"), { settings })).rejects.toMatchObject({
      code: "STORE_BACKUP_ELSEWHERE",
    });
  });
});
