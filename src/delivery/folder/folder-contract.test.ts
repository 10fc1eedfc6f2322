import { join } from "node:path";
import { describe } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Destination } from "../destination.ts";
import { type DestinationScene, destinationContract } from "../destination-contract.testing.ts";
import { zipInspector } from "../files/inspect-files.ts";
import { localFiles } from "../files/local-files.ts";
import { attachedBelow, emptyFolder, instancesBelow } from "../files/look-behind.testing.ts";
import { createZipDestination } from "../files/zip-destination.ts";
import type { Inspect } from "../inspection/inspection.ts";
import { destinationFolder } from "./destination-folder.ts";
import { createFolderDestination } from "./folder-destination.ts";
import { folderInspector } from "./inspect-folder.ts";

/** Temporary files of the folder destination are below it while it is open. */
const OWN = ".radferry";

async function sceneOf(
  openIn: (path: string, temporary: string) => Promise<Destination>,
  inspectorOf: (path: string, temporary: string) => Inspect,
): Promise<DestinationScene> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const target = stack.use(await temporaryFolder());
  const destination = stack.use(await openIn(target.path, join(source.path, OWN)));
  const kept = stack.move();
  return {
    destination,
    folder: source.path,
    inspect: inspectorOf(target.path, source.path),
    instances: () => instancesBelow(target.path),
    attached: () => attachedBelow(target.path),
    wipe: () => emptyFolder(join(target.path, "trial")),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe("a folder as destination", () => {
  destinationContract(
    () =>
      sceneOf(
        (path) => createFolderDestination({ name: "store", path }),
        (path) => folderInspector({ name: "store", path }),
      ),
    { canBeCut: false, takesFiles: true },
  );
});

describe("a folder of zips as destination", () => {
  destinationContract(
    () =>
      sceneOf(
        (path, temporaryFolder) =>
          createZipDestination({
            ...{
              name: "store",
              kind: "folder",
              server: localFiles(destinationFolder({ name: "store", path })),
              path,
              proof: "sha256",
              temporaryFolder,
            },
          }),
        (path, temporary) =>
          zipInspector(
            { server: localFiles(destinationFolder({ name: "store", path })), path, readsBack: true },
            temporary,
          ),
      ),
    { canBeCut: false, takesFiles: true },
  );
});
