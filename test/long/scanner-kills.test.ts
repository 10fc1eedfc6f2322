import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { recover, sweep } from "../../src/acquisition/recover.ts";
import { filesBelow, openScanSite } from "../../src/acquisition/rehearsal.testing.ts";
import { createRemoteExams } from "../../src/acquisition/remote-exams.ts";
import { openExamClient } from "../../src/network/rest/scanhub/exam-client.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { type Document, openScannerSite, type ScannerSite, taskDocument } from "../peers/scanhub-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CHILD = fileURLToPath(new URL("../support/scanner-kill-main.ts", import.meta.url));

/** The signal that ended it, or null when it came to its end. */
async function measured(remote: ScannerSite, folder: string, taskId: string, calls: number, when: string) {
  const facts = [folder, remote.exam, remote.token, taskId, remote.deviceId, String(calls), when];
  const child = spawn(process.execPath, [CHILD, ...facts], { stdio: ["ignore", "ignore", "inherit"] });
  const [code, signal]: unknown[] = await once(child, "close");
  if (signal === null) expect(code).toBe(0);
  return signal;
}

/** What the next process over the same home makes of it, when nobody comes back. */
async function takenUp(remote: ScannerSite, folder: string): Promise<readonly string[]> {
  await using client = openExamClient({ url: remote.exam });
  const facts = { client, origin: remote.exam, userAccessToken: async () => remote.token, logger: silentLogger };
  await using site = await openScanSite({
    folder,
    through: (parts) => ({ ...parts, exams: createRemoteExams({ ...facts, store: parts.store }) }),
  });
  await recover(site.ledger);
  for (let step = 0; step < 3; step += 1) {
    await site.clock.advance(1_000_000);
    await sweep(site.ledger, site.uploads);
  }
  expect(await site.store.openTransfers(1)).toEqual([]);
  expect(await site.store.listAcquisitions({ isOpen: true, limit: 1 })).toEqual([]);
  return await filesBelow(site.lake.path);
}

it.each(["before", "after"])(
  "killed %s each of its calls, ends with one result at the exam-manager or none, and no blank one",
  async (when) => {
    await using remote = await openScannerSite();
    const outcomes = new Set<string>();
    for (let calls = 1, isThrough = false; !isThrough; calls += 1) {
      expect(calls).toBeLessThan(100);
      await using folder = await temporaryFolder();
      const body = taskDocument({ device_id: remote.deviceId });
      const { id } = (await remote.request("POST", `${remote.exam}/task/new`, { body })).body as Document;
      const signal = await measured(remote, folder.path, id, calls, when);
      isThrough = signal === null;
      expect(signal === null || signal === "SIGKILL").toBe(true);
      const files = await takenUp(remote, folder.path);
      const { status, results } = (await remote.request("GET", `${remote.exam}/task/${id}`)).body as Document & {
        readonly results: readonly Document[];
      };
      outcomes.add(`${String(status)} ${results.map(({ type }) => type).join()}`);
      expect(files).toHaveLength(2 * results.length);
    }
    expect([...outcomes].sort()).toEqual(["ERROR ", "FINISHED MRD", ...(when === "before" ? ["NEW "] : [])]);
  },
);
