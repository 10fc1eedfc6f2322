import { join } from "node:path";
import { readScanHubSettings } from "../../src/compat/scanhub/settings.ts";
import { openScanHubOver } from "../../src/gateway/open-scanhub.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";

/**
 * `scanner-face-kill-main.ts FOLDER STEP before|after`: the scanners' face over a home, which kills itself with SIGKILL at a step that an
 * acquisition writes down, before it is written or before anybody knows that it was. Says its port; goes on when there are fewer steps.
 */
const [folder = "", step = "", when = ""] = process.argv.slice(2);

/** What leads an acquisition on. */
const STEPS: ReadonlySet<string> = new Set([
  "claimAcquisition",
  "changeAcquisition",
  "wantScanTask",
  "changeScanTask",
  "addTransfer",
  "addScanResult",
  "changeTransfer",
  "setScanResult",
  "appendAudit",
]);

const settings = readScanHubSettings({
  DATA_LAKE_DIRECTORY: join(folder, "lake"),
  RADFERRY_SCAN_RESERVE_GIGABYTES: "0",
  RADFERRY_SCAN_GRACE_SECONDS: "1",
  RADFERRY_SCAN_QUIET_SECONDS: "1",
  RADFERRY_SCAN_START_SECONDS: "2",
});
const store = await openSqliteStore({ path: join(folder, "radferry.db") });
const die = (): boolean => process.kill(process.pid, "SIGKILL");
let steps = 0;
const dying = new Proxy(store, {
  get(object, name) {
    const value: unknown = Reflect.get(object, name);
    if (typeof value !== "function" || !STEPS.has(String(name))) return value;
    return async (...given: readonly unknown[]): Promise<unknown> => {
      steps += 1;
      const isLast = steps === Number(step);
      if (isLast && when === "before") die();
      const answer: unknown = await Reflect.apply(value, object, given);
      if (isLast) die();
      return answer;
    };
  },
});
const face = await openScanHubOver({ settings, store: dying, host: "127.0.0.1", port: 0 });
process.stdout.write(`${face.port}\n`);
