import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { seededRandom } from "../../units/random.ts";
import { openSqliteStore } from "./open.ts";

const KILLS = 5;
const MAXIMUM_LINES = 400;
const WRITER = fileURLToPath(new URL("./kill-writer.testing.ts", import.meta.url));

interface Acknowledged {
  readonly cohort?: string;
  readonly delivered?: string;
}

/** Runs the writer until it has acknowledged so many things, kills it where it stands, and gives all that it said. */
async function writeAndKill(path: string, lines: number): Promise<readonly Acknowledged[]> {
  const writer = spawn(process.execPath, [WRITER, path], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(writer, "close");
  const acknowledged: Acknowledged[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    // The last line may have been cut short by the kill: then it was not said.
    if (line.endsWith("}")) acknowledged.push(JSON.parse(line) as Acknowledged);
    if (acknowledged.length === lines) writer.kill("SIGKILL");
  }
  expect(await ended).toEqual([null, "SIGKILL"]);
  return acknowledged;
}

it("loses nothing that it acknowledged when its process is killed, again and again", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  const random = seededRandom(7);
  const acknowledged: Acknowledged[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    acknowledged.push(...(await writeAndKill(path, 1 + Math.floor(random.next() * MAXIMUM_LINES))));
  }

  await using store = await openSqliteStore({ path });
  await store.releaseLeases(0);
  for (const { cohort, delivered } of acknowledged) {
    if (cohort !== undefined) expect(await store.cohortStatus(cohort)).toMatchObject({ total: 2 });
    if (delivered !== undefined) expect(await store.job(delivered)).toMatchObject({ state: "delivered", received: 1 });
  }
  expect(acknowledged.length).toBeGreaterThan(KILLS);
  using database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
});
