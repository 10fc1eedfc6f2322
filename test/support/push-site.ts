import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiLimits } from "../../src/http/services.ts";
import { freePort } from "../peers/free-port.ts";
import { type ApiSite, openApiSite } from "./api.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A gateway that studies are pushed to over HTTP. */
export interface PushSite extends AsyncDisposable {
  readonly api: ApiSite;
  /** Where STOW-RS is. */
  readonly url: string;
  readonly dicomPort: number;
  readonly folder: string;
  /** Of the folder destination. */
  readonly delivered: string;
  /** The study jobs, when they are as wanted. */
  until(isWanted: (studies: readonly PushedStudy[]) => boolean): Promise<readonly PushedStudy[]>;
}

export interface PushedStudy {
  readonly state: string;
  readonly verdict: string | null;
  readonly delivered: number;
}

/** Two projects, `trial` and `other`, without archives. */
export async function openPushSite(
  intake: Readonly<Record<string, unknown>>,
  apiLimits: Partial<ApiLimits> = {},
): Promise<PushSite> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const delivered = join(folder, "delivered");
  const projects = await Promise.all(
    ["trial", "other"].map(async (name, index) => {
      const keyFile = join(folder, `${name}.key`);
      await writeFile(keyFile, `${String(index + 1).repeat(64)}\n`, { mode: 0o600 });
      return { name, archives: [], destinations: ["store"], profile: "research", keyFile };
    }),
  );
  const dicomPort = await freePort();
  const api = opened.use(
    await openApiSite({
      apiLimits,
      settings: {
        dicom: { port: dicomPort },
        destinations: [{ name: "store", kind: "folder", path: delivered }],
        projects,
        intake: { quietSeconds: 0.3, longestSeconds: 20, ...intake },
      },
    }),
  );
  const closing = opened.move();
  return {
    api,
    url: `${api.url}/dicomweb`,
    dicomPort,
    folder,
    delivered,
    async until(isWanted) {
      for (let look = 0; look < 100; look += 1) {
        const { json } = await api.call("GET", "/studies");
        const { items } = json as { readonly items: readonly PushedStudy[] };
        if (isWanted(items)) return items;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error("the studies never came into the wanted state");
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
