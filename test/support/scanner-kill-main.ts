import { announced, dyingAt, HDF5_BYTES, openScanSite } from "../../src/acquisition/rehearsal.testing.ts";
import { createRemoteExams } from "../../src/acquisition/remote-exams.ts";
import { openExamClient } from "../../src/network/rest/scanhub/exam-client.ts";
import { silentLogger } from "../../src/units/logger.ts";

/**
 * `scanner-kill-main.ts FOLDER URL TOKEN TASK_ID DEVICE_ID CALLS before|after`: measures one file against an exam-manager elsewhere, and kills
 * itself with SIGKILL at the call behind so many, before it is made or before its answer counts. Ends with 0 when there are fewer calls.
 */
const [folder = "", url = "", token = "", taskId = "", deviceId = "", calls = "", when = ""] = process.argv.slice(2);

const dying = dyingAt(Number(calls), when === "after");
void dying.died.then(() => process.kill(process.pid, "SIGKILL"));
await using client = openExamClient({ url });
await using site = await openScanSite({
  folder,
  through: ({ store, lake }) => {
    const exams = createRemoteExams({
      client,
      origin: url,
      userAccessToken: async () => token,
      store,
      logger: silentLogger,
    });
    return dying.through({ store, lake, exams });
  },
});
const claimed = await site.ledger.claim({ taskId, deviceId, isTriggered: false });
await site.ledger.progressed(claimed, 100);
const begun = await site.uploads.begin(claimed, announced(HDF5_BYTES, { parameter: "{}" }));
if (begun.kind === "receive") {
  await begun.upload.write(Uint8Array.from(HDF5_BYTES));
  await begun.upload.finish();
}
