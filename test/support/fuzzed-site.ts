import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ApiSite, openApiSite } from "./api.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A service with something in it: a project whose archive is away, and a cohort that waits for it. */
export async function openFuzzedSite(): Promise<ApiSite> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const keyFile = join(path, "key");
  await writeFile(keyFile, `${"1".repeat(64)}\n`, { mode: 0o600 });
  const site = opened.use(
    await openApiSite({
      apiLimits: { requestsPerSecond: 1e6, burst: 1e6, failuresPerMinute: 1e6 },
      settings: {
        archives: [{ name: "vna", kind: "dimse", address: "VNA@127.0.0.1:1", retrieve: "get" }],
        destinations: [{ name: "store", kind: "folder", path: join(path, "store") }],
        projects: [{ name: "lung", archives: ["vna"], destinations: ["store"], profile: "basic", keyFile }],
      },
    }),
  );
  const body = "study_instance_uid\n1.2.3\n1.2.4\n";
  await site.call("POST", "/cohorts?project=lung", { body, headers: { "content-type": "text/csv" } });
  const closing = opened.move();
  return { ...site, url: site.url, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}
