import { describe } from "vitest";
import { startXnat } from "../../../test/peers/xnat/start-xnat.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { bytesSource } from "../../dicom/reader.ts";
import { inspectInstance } from "../../network/instance-files/inspect.ts";
import { openXnatClient } from "../../network/rest/xnat/login.ts";
import { neverAborted } from "../../units/abort.ts";
import { type DestinationScene, destinationContract, type SceneOptions } from "../destination-contract.testing.ts";
import { xnatInspector } from "./inspect-xnat.ts";
import type { XnatDestinationOptions } from "./place.ts";
import { createXnatDestination } from "./xnat-destination.ts";

/** Where the length of the file meta information stands, and where it counts from. PS3.10 7.1. */
const [META_LENGTH_AT, META_AT] = [140, 144];

function withoutMeta(file: Buffer): Buffer {
  return file.subarray(META_AT + file.readUInt32LE(META_LENGTH_AT));
}

async function sceneOf(
  { cutAfterBytes = Number.POSITIVE_INFINITY }: SceneOptions,
  options: Pick<XnatDestinationOptions, "upload" | "into">,
): Promise<DestinationScene> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const xnat = stack.use(await startXnat({ projects: ["trial"], workEveryMs: 0 }));
  const proxy = stack.use(await startCuttingProxy(Number(new URL(xnat.url).port), cutAfterBytes));
  const credentials = { username: xnat.username, password: async () => xnat.password };
  const client = () => openXnatClient({ baseUrl: `http://127.0.0.1:${proxy.port}`, credentials });
  const common = { name: "research", overwrite: "append", confirm: "digest", parallel: 2 } as const;
  const destination = stack.use(createXnatDestination({ ...common, ...options, client: client() }));
  const sessions = () => [...(xnat.state.projects.get("trial")?.experiments.values() ?? []), ...xnat.state.prearchive];
  const kept = stack.move();
  return {
    destination,
    folder: source.path,
    inspect: xnatInspector({ client: async () => client() }),
    async instances() {
      const files = sessions()
        .flatMap(({ scans }) => [...scans.values()])
        .flatMap(({ resources }) => [...(resources.get("DICOM")?.files.values() ?? [])]);
      const found = new Map<string, Buffer>();
      for (const { bytes = Buffer.alloc(0) } of files) {
        const { sopInstanceUid } = await inspectInstance(bytesSource(bytes), neverAborted());
        found.set(sopInstanceUid, withoutMeta(Buffer.from(bytes)));
      }
      return found;
    },
    async wipe() {
      xnat.state.projects.get("trial")?.experiments.clear();
      xnat.state.prearchive.length = 0;
    },
    kept: withoutMeta,
    mend: proxy.mend,
    cutAfter: proxy.cutAfter,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe.each([
  { upload: "dicom-zip", into: "archive" },
  { upload: "gradual-dicom", into: "archive" },
  { upload: "dicom-zip", into: "prearchive" },
] as const)("an XNAT as destination, by $upload into the $into", (options) => {
  // Its check knows what was changed by its UIDs alone, which its own suite tells.
  destinationContract((scene) => sceneOf(scene, options), { canBeCut: true, isInspected: false, takesFiles: false });
});
