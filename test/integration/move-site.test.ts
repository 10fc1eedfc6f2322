import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { systemClock } from "../../src/units/clock.ts";
import { freePort } from "../peers/free-port.ts";
import { startPostgres } from "../peers/postgres.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));
const ROWS = 4_000;
const MOVE = ["db", "migrate", "--from", "sqlite", "--to", "postgres"];

describe.runIf(requirePeer("initdb"))("db migrate --from sqlite --to postgres", () => {
  it("moves a site that was killed while it moved, and the site goes on there", async () => {
    await using server = await startPostgres();
    const archives = [{ name: "pacs", address: `PACS@127.0.0.1:${await freePort()}`, retrieve: "get" }] as const;
    await using site = await makeSite({ dicomPort: await freePort(), archives });
    const rows = Array.from({ length: ROWS }, (_, index) => `1.2.3.${index + 1}`);
    const file = await site.write("wanted.csv", `study_instance_uid\n${rows.join("\n")}\n`);
    expect((await site.run("cohort", "submit", file, "--project", PROJECT)).document).toMatchObject({ accepted: ROWS });

    const url = `postgres://${server.user}@127.0.0.1:${server.port}/${server.user}`;
    await useDatabase(site, url);
    const client = new pg.Client(url);
    await client.connect();
    try {
      await killInTheMiddle(site, client);
      const refused = await site.run("cohort", "list");
      expect(refused.stdout + refused.stderr).toContain("STORE_HALF_MOVED");
      expect((await site.run(...MOVE)).document).toMatchObject({ moved: true });
      const { rows: counted } = await client.query(
        "SELECT count(*)::INT AS jobs FROM study_jobs WHERE state = 'queued'",
      );
      expect(counted).toEqual([{ jobs: ROWS }]);
    } finally {
      await client.end();
    }
    expect((await site.run("cohort", "list")).stdout).toContain(`"accepted":${ROWS}`);
  }, 120_000);
});

async function useDatabase({ folder, write }: Site, url: string): Promise<void> {
  await writeFile(join(folder, "database-url"), `${url}\n`, { mode: 0o600 });
  const settings = parse(await readFile(join(folder, "radferry.yaml"), "utf8"));
  await write("radferry.yaml", stringify({ ...settings, store: { kind: "postgres", urlFile: "database-url" } }));
}

/** SIGKILL once some of the studies are there, and not all. */
async function killInTheMiddle({ folder }: Site, client: pg.Client): Promise<void> {
  const env = { ...process.env, RADFERRY_CONFIG: join(folder, "radferry.yaml") };
  const child = spawn(PROGRAM, MOVE, { env, cwd: folder, stdio: "ignore" });
  const ended = once(child, "close");
  for (let moved = 0; moved === 0; ) {
    if (child.exitCode !== null) throw new Error("it ended before anything was moved");
    const { rows } = await client
      .query("SELECT count(*)::INT AS moved FROM study_jobs")
      .catch(() => ({ rows: [{ moved: 0 }] }));
    moved = Number(rows[0]?.moved);
    if (moved === 0) await systemClock.sleep(5);
  }
  child.kill("SIGKILL");
  await ended;
  const { rows } = await client.query("SELECT count(*)::INT AS moved FROM study_jobs");
  expect(rows[0]?.moved).toBeLessThan(ROWS);
}
