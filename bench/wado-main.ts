import { parseStudyInstanceUid } from "../src/dicom/uid.ts";
import { retrieveDicomWeb } from "../src/network/dicomweb/retrieve.ts";
import { openHttpClient } from "../src/network/http-client/http-client.ts";
import { openInstanceFolder } from "../src/network/instance-files/instance-folder.ts";
import { keepInstances } from "../src/network/instance-files/keep-instance.ts";
import { neverAborted } from "../src/units/abort.ts";
import { systemClock } from "../src/units/clock.ts";

/** `wado-main.ts URL STUDY FOLDER`: retrieves a study into the folder; prints how long it took and how many instances came. */
const [url = "", study = "", folder = ""] = process.argv.slice(2);

const target = { studyInstanceUid: parseStudyInstanceUid(study) };
const startedAtMs = performance.now();
const usedBefore = process.cpuUsage();
await using client = openHttpClient({ baseUrl: url });
const store = await openInstanceFolder(folder, systemClock, { blocking: true });
let came = 0;
const open = (signal: AbortSignal) => retrieveDicomWeb(client, target, {}, signal);
for await (const taken of keepInstances(open, store, target, neverAborted())) {
  if (!(taken instanceof Error)) came += 1;
}
const { user, system } = process.cpuUsage(usedBefore);
const seconds = (performance.now() - startedAtMs) / 1_000;
process.stdout.write(`${JSON.stringify({ seconds, came, userSeconds: user / 1e6, systemSeconds: system / 1e6 })}\n`);
