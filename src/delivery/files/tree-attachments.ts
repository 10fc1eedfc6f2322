import { posix } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { FileSession } from "../../network/file-transfer/file-session.ts";
import type { AttachedFile } from "../../staging/attached-file.ts";
import type { AttachmentTaker, StudyDelivery } from "../destination.ts";
import { readCopy } from "../reading/study-reading.ts";
import { type FileServer, interrupted, replaceFile } from "./file-server.ts";
import { studyFolderOf } from "./layout.ts";
import { sha256Read } from "./read-back.ts";

interface TreeToAttachTo {
  readonly name: string;
  readonly server: FileServer;
  readonly path: string;
  /** Each is fetched back and compared; else names and sizes tell. */
  readonly readsBack: boolean;
  /** What the reports beside the series say was delivered. */
  reported(session: FileSession, study: string): Promise<ReadonlySet<string>>;
}

/** Files beside the series of a study, in a tree of files, each renamed when it is whole. */
export function treeAttachments(tree: TreeToAttachTo): AttachmentTaker {
  return {
    async held(delivery, signal) {
      await using session = await tree.server.open(signal);
      const study = studyFolderOf(tree.path, delivery);
      const found = new Set<string>();
      for (const file of delivery.attached ?? []) {
        signal.throwIfAborted();
        if (await isHeld(session, `${study}/${file.name}`, file, tree.readsBack)) found.add(file.name);
      }
      return found;
    },
    send: (delivery, files, signal) => send(tree, delivery, files, signal),
  };
}

async function isHeld(
  session: FileSession,
  path: string,
  { sizeBytes, sha256 }: AttachedFile,
  readsBack: boolean,
): Promise<boolean> {
  if ((await session.sizeOf(path)) !== sizeBytes) return false;
  // There is nothing to fetch of what is empty.
  if (!readsBack || sizeBytes === 0) return true;
  return (await sha256Read((sink) => session.read(path, { start: 0, mostBytes: sizeBytes }, sink))) === sha256;
}

/** What an earlier delivery left is ours to replace; nobody else's file is. */
async function send(
  tree: TreeToAttachTo,
  delivery: StudyDelivery,
  files: readonly AttachedFile[],
  signal: AbortSignal,
): Promise<void> {
  const { server, name: destination } = tree;
  await using session = await server.open(signal);
  const study = studyFolderOf(tree.path, delivery);
  const ours = await tree.reported(session, study);
  for (const file of files) {
    signal.throwIfAborted();
    const path = `${study}/${file.name}`;
    const isTaken = !ours.has(file.name) && (await session.sizeOf(path)) !== undefined;
    if (isTaken && !(await isHeld(session, path, file, true)))
      throw new GatewayError("DELIVERY_CONFLICT", { destination, path: file.name });
    const { dir, base } = posix.parse(path);
    await session.makeFolder(dir);
    const place = { path, arriving: `${dir}/.${base}.part`, aside: `${dir}/.${base}.old` };
    await session.write(place.arriving, readCopy(delivery, file)).catch(interrupted(server, destination));
    await replaceFile(session, server, place);
  }
}
