import { join } from "node:path";
import { describe } from "vitest";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { startSshd } from "../../../test/peers/sshd.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { type DestinationScene, destinationContract, type SceneOptions } from "../destination-contract.testing.ts";
import { treeInspector, zipInspector } from "../files/inspect-files.ts";
import { attachedBelow, emptyFolder, instancesBelow } from "../files/look-behind.testing.ts";
import { createSftpDestination, type SftpDestinationOptions, sftpFiles } from "./sftp-destination.ts";

async function sceneOf(
  { cutAfterBytes = Number.POSITIVE_INFINITY }: SceneOptions,
  options: Pick<SftpDestinationOptions, "layout" | "readsBack">,
): Promise<DestinationScene> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const peer = stack.use(await startSshd());
  const proxy = stack.use(await startCuttingProxy(peer.port, cutAfterBytes));
  const { username, privateKey, hostKey, folder } = peer;
  const server = async () => ({ host: "127.0.0.1", port: proxy.port, username, privateKey, hostKeys: [hostKey] });
  const destination = stack.use(
    await createSftpDestination({
      ...{ name: "dsh", path: folder, temporaryFolder: join(source.path, "temporary"), ...options },
      server,
    }),
  );
  const place = { server: sftpFiles(server), path: folder, readsBack: options.readsBack };
  const inspect = options.layout === "files" ? treeInspector(place) : zipInspector(place, source.path);
  const kept = stack.move();
  return {
    destination,
    folder: source.path,
    inspect,
    instances: () => instancesBelow(folder),
    attached: () => attachedBelow(folder),
    wipe: () => emptyFolder(folder),
    mend: proxy.mend,
    cutAfter: proxy.cutAfter,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe.skipIf(!requirePeer("sshd"))("an SFTP server (OpenSSH) as destination", () => {
  describe.each([
    { layout: "files", readsBack: false },
    { layout: "files", readsBack: true },
    { layout: "zip", readsBack: true },
  ] as const)("of $layout, read back: $readsBack", (options) => {
    destinationContract((scene) => sceneOf(scene, options), { canBeCut: true, takesFiles: true });
  });
});
