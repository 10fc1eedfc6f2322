import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readScanHubSettings } from "./settings.ts";

const page = readFileSync(new URL("../../../docs/scanhub.md", import.meta.url), "utf8");

/** Names and usual values as the page has them, `none` and `for ever` left out. */
function documented(): Readonly<Record<string, string>> {
  const rows = page.matchAll(/^\| `([A-Z_]+)` \| `?([^`|]+?)`? \|/gm);
  return Object.fromEntries([...rows].map(([, name = "", usual = ""]) => [name, usual]));
}

it("has the usual settings that its page says, whether they are left out or written down", () => {
  const { RADFERRY_SCAN_DEVICE_GIGABYTES: quota, RADFERRY_SCAN_KEEP_DAYS: retention, ...values } = documented();
  expect([quota, retention]).toEqual(["none", "for ever"]);
  const usual = readScanHubSettings({});
  expect(readScanHubSettings(values)).toEqual(usual);
  expect(usual).toMatchObject({
    ...{ lake: "/data", logLevel: "info", generation: "v2", isStrict: false, idleMs: 60_000, tls: undefined },
    policy: {
      ...{ startTimeoutMs: 30_000, disconnectGraceMs: 120_000, quietPeriodMs: 60_000, finishWithoutData: "error" },
      ...{ maximumFileBytes: 256e9, maximumDeviceBytes: undefined, retentionMs: undefined, reserveBytes: 1e9 },
    },
  });
});

it.each([
  ["RADFERRY_TLS_CERTIFICATE_FILE", "RADFERRY_TLS_KEY_FILE"],
  ["RADFERRY_TLS_KEY_FILE", "RADFERRY_TLS_CERTIFICATE_FILE"],
])("does not speak plain HTTP where %s is set and the other forgotten", (given, forgotten) => {
  const problems = [expect.objectContaining({ path: forgotten, code: "SETTING_INVALID" })];
  expect(() => readScanHubSettings({ [given]: "/etc/radferry/tls.pem" })).toThrow(
    expect.objectContaining({ problems }),
  );
});
