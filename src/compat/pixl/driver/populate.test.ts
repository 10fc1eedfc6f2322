import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../test/peers/postgres.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { neverAborted } from "../../../units/abort.ts";
import { systemClock } from "../../../units/clock.ts";
import { type Database, openDatabase } from "../database/connection.ts";
import { upgrade } from "../database/migrate.ts";
import { deserialise } from "../messages/deserialise.ts";
import type { ExtractRow } from "./extract.ts";
import { populate } from "./populate.ts";

const row = (accessionNumber: string, projectName = "p", participantId = ""): ExtractRow => ({
  participantId,
  message: {
    mrn: "1",
    accessionNumber,
    studyUid: "",
    seriesUid: "",
    studyDate: "2022-11-22",
    procedureOccurrenceId: 1,
    projectName,
    extractGeneratedTimestamp: "2023-12-07T14:08:00Z",
  },
});

/** A broker whose queues are empty at once. */
function createBroker() {
  const published: string[] = [];
  return {
    published,
    publish: async ({ queue, body, priority }: { queue: string; body: Uint8Array; priority: number }) =>
      void published.push(`${queue} ${deserialise(body).accessionNumber} ${priority}`),
    count: async () => 0,
  };
}

describe.skipIf(!requirePeer("initdb"))("populate", () => {
  let server: PostgresServer;
  let database: Database;
  beforeAll(async () => {
    server = await startPostgres();
    const { port, user } = server;
    database = await openDatabase({ host: "127.0.0.1", port, database: user, user, password: "" });
    await upgrade(database);
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => database.query("TRUNCATE pixl_pipeline.extract CASCADE").then(() => undefined));

  /** @param exports what each wait brings to its end */
  const run = async (rows: readonly ExtractRow[], exports: readonly string[] = [], retries = 5) => {
    const broker = createBroker();
    const left = [...exports];
    const sleep = async (): Promise<void> => {
      await database.query("UPDATE pixl_pipeline.image SET exported_at = now() WHERE accession_number = $1", [
        left.shift(),
      ]);
    };
    const options = { queues: ["imaging-primary"], priority: 2, retries, retryAfterMs: 1, signal: neverAborted() };
    const report = await populate(rows, { broker, database, clock: { ...systemClock, sleep } }, options);
    return { ...report, messages: broker.published };
  };
  const images = async () =>
    (await database.query("SELECT count(*)::integer AS count FROM pixl_pipeline.image"))[0]?.count;

  it("asks for nothing again where nothing was exported", async () => {
    expect(await run([row("A1"), row("A2")])).toMatchObject({ published: [2], exported: 0 });
  });

  it("asks again for what is left as long as that brings more, then once in vain", async () => {
    const report = await run([row("A1"), row("A2"), row("A3")], ["A1", "A2", "none"]);
    expect(report).toMatchObject({ published: [3, 2, 1], exported: 2 });
    expect(report.messages.slice(3)).toEqual(["imaging-primary A2 2", "imaging-primary A3 2", "imaging-primary A3 2"]);
  });

  it("asks as often as it was told, and no more", async () => {
    expect(await run([row("A1"), row("A2"), row("A3")], ["A1", "A2"], 1)).toMatchObject({ published: [3, 2] });
    expect(await run([row("B1"), row("B2")], ["B1"], 0)).toMatchObject({ published: [2], exported: undefined });
  });

  it("asks for two of three studies where one is exported, and writes participants down", async () => {
    await run([row("A1", "p", "P-1"), row("A2"), row("A3")], ["A2"], 1);
    expect((await run([row("A1"), row("A2"), row("A3")], [], 0)).messages).toHaveLength(2);
    const [kept] = await database.query(
      "SELECT pseudo_patient_id FROM pixl_pipeline.image WHERE accession_number = 'A1'",
    );
    expect(kept).toEqual({ pseudo_patient_id: "P-1" });
  });

  it("keeps six rows of several projects, and asks for five where one is exported", async () => {
    const rows = ["p", "q", "r"].flatMap((project) => [row("A1", project), row("A2", project)]);
    await run(rows, [], 0);
    await database.query(
      "UPDATE pixl_pipeline.image SET exported_at = now() WHERE accession_number = 'A2' AND extract_id = (SELECT max(extract_id) FROM pixl_pipeline.extract)",
    );
    expect((await run(rows, [], 0)).published).toEqual([5]);
    expect(await images()).toBe(6);
  });

  it("waits for the second queue too, to which goes what the first archive has not; then for the exports", async () => {
    const ready = [2, 1, 0];
    const slept: number[] = [];
    const count = async (queue: string) => (queue === "imaging-secondary" ? (ready.shift() ?? 0) : 0);
    const clock = { ...systemClock, sleep: async (durationMs: number) => void slept.push(durationMs) };
    const options = { queues: ["imaging-primary"], priority: 1, retries: 1, retryAfterMs: 300_000 };
    await populate(
      [row("A1")],
      { broker: { ...createBroker(), count }, database, clock },
      { ...options, signal: neverAborted() },
    );
    expect(slept).toEqual([60_000, 60_000, 300_000]);
  });
});
