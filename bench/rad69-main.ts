import { readFile } from "node:fs/promises";
import { openHttpClient } from "../src/network/http-client/http-client.ts";
import { createRad69Client } from "../src/network/ihe/client.ts";
import { retrieveInstances } from "../src/network/ihe/retrieve.ts";
import { openInstanceFolder } from "../src/network/instance-files/instance-folder.ts";
import { systemClock } from "../src/units/clock.ts";

/**
 * `rad69-main.ts URL FOLDER LIST PARALLEL [blocking|waiting]`: retrieves what the list names (study, series, instance on a line each) into
 * the folder, in one request or several at once; prints how long it took and how many instances came.
 */
const [url = "", folder = "", list = "", parallel = "1", calls = "blocking"] = process.argv.slice(2);

const wanted = (await readFile(list, "utf8"))
  .trim()
  .split("\n")
  .map((line) => {
    const [studyInstanceUid = "", seriesInstanceUid = "", sopInstanceUid = ""] = line.split("\t");
    return { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
  });
const startedAtMs = performance.now();
const usedBefore = process.cpuUsage();
await using http = openHttpClient({ baseUrl: url });
const client = createRad69Client({ http, url });
const store = await openInstanceFolder(folder, systemClock, { blocking: calls === "blocking" });
const { outcomes } = await retrieveInstances(client, wanted, store, {
  grouping: "single",
  parallel: Number(parallel),
  split: true,
  attempts: 1,
});
const came = [...outcomes.values()].filter(({ state }) => state === "delivered").length;
const { user, system } = process.cpuUsage(usedBefore);
const seconds = (performance.now() - startedAtMs) / 1_000;
process.stdout.write(`${JSON.stringify({ seconds, came, userSeconds: user / 1e6, systemSeconds: system / 1e6 })}\n`);
