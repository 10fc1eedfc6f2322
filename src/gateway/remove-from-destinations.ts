import type { Settings } from "../config/settings.ts";
import type { DestinationSettings } from "../config/settings-destinations.ts";
import { localFiles } from "../delivery/files/local-files.ts";
import { reportedIn } from "../delivery/files/tree-destination.ts";
import { treeRemoval } from "../delivery/files/tree-removal.ts";
import { zipRemoval } from "../delivery/files/zip-removal.ts";
import { destinationFolder } from "../delivery/folder/destination-folder.ts";
import { orthancRemoval } from "../delivery/orthanc/orthanc-removal.ts";
import type { StudyRemoval } from "../delivery/removal/removal.ts";
import { xnatRemoval } from "../delivery/xnat/remove.ts";
import { ftpsServerOf, httpClientOf, s3ServerOf, sftpServerOf } from "./open-destinations.ts";
import { xnatClientOf } from "./xnat-client.ts";

/** Files under way at once. */
const PARALLEL = 4;

/** How studies are taken back from each destination that lets us; over connections of their own, beside a running service too. */
export function destinationRemovals(settings: Settings): ReadonlyMap<string, StudyRemoval> {
  const removals = new Map<string, StudyRemoval>();
  for (const destination of settings.destinations) {
    const removal = removalOf(destination);
    if (removal !== undefined) removals.set(destination.name, removal);
  }
  return removals;
}

/** Undefined: neither C-STORE (PS3.4 B) nor STOW-RS (PS3.18 10.5) can remove what was stored. */
function removalOf(destination: DestinationSettings): StudyRemoval | undefined {
  switch (destination.kind) {
    case "folder": {
      const place = { server: localFiles(destinationFolder(destination)), path: destination.path };
      return destination.layout === "files"
        ? treeRemoval({ ...place, parallel: PARALLEL, reported: reportedIn })
        : zipRemoval(place);
    }
    case "ftps":
      return opened(async () => {
        const { ftpsFiles } = await import("../delivery/ftps/ftps-destination.ts");
        return zipRemoval({ server: ftpsFiles(ftpsServerOf(destination)), path: destination.folder });
      });
    case "sftp":
      return opened(async () => {
        const { sftpFiles } = await import("../delivery/sftp/sftp-destination.ts");
        const place = { server: sftpFiles(sftpServerOf(destination)), path: destination.folder };
        const isTree = destination.layout === "files";
        return isTree ? treeRemoval({ ...place, parallel: PARALLEL, reported: reportedIn }) : zipRemoval(place);
      });
    case "s3":
      return opened(async () => {
        const { s3Removal } = await import("../delivery/s3/s3-removal.ts");
        const { isMarked } = await import("../delivery/s3/s3-destination.ts");
        const { prefix } = destination;
        return s3Removal({ server: s3ServerOf(destination), prefix, parallel: PARALLEL, isMarked });
      });
    case "orthanc":
      return opened(async (stack) => orthancRemoval(stack.use(await httpClientOf(destination))));
    case "xnat":
      return opened(async (stack) =>
        xnatRemoval({ client: stack.use(await xnatClientOf(destination)), project: destination.project }),
      );
    case "dimse":
    case "dicomweb":
      return undefined;
  }
}

/** Opened when it is asked, and closed when it has answered. */
function opened(open: (stack: AsyncDisposableStack) => Promise<StudyRemoval>): StudyRemoval {
  return {
    async remains(study, signal) {
      await using stack = new AsyncDisposableStack();
      const removal = await open(stack);
      return await removal.remains(study, signal);
    },
    async remove(study, signal) {
      await using stack = new AsyncDisposableStack();
      const removal = await open(stack);
      await removal.remove(study, signal);
    },
  };
}
