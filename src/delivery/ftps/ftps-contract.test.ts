import { join } from "node:path";
import { describe } from "vitest";
import { startFtpsPeer } from "../../../test/peers/ftps-server.ts";
import { requirePythonPeers } from "../../../test/peers/python-peers.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { type DestinationScene, destinationContract, type SceneOptions } from "../destination-contract.testing.ts";
import { zipInspector } from "../files/inspect-files.ts";
import { attachedBelow, emptyFolder, instancesBelow } from "../files/look-behind.testing.ts";
import { createFtpsDestination, ftpsFiles } from "./ftps-destination.ts";

/** What it sends goes over connections of its own: those the server cuts itself, the one with the commands the proxy. */
async function sceneOf(
  { cutAfterBytes }: SceneOptions,
  security: "implicit" | "explicit",
  proof: "digest" | "sha256",
): Promise<DestinationScene> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const cuts = cutAfterBytes === undefined ? {} : { cuts: 1, cutAfterBytes };
  const peer = stack.use(await startFtpsPeer({ folder: source.path, security, ...cuts }));
  const proxy = stack.use(await startCuttingProxy(peer.port, Number.POSITIVE_INFINITY));
  const { username, password, certificate, folder } = peer;
  const tls = { certificateAuthorities: certificate.certificate };
  const server = async () => ({ host: "127.0.0.1", port: proxy.port, security, username, password, tls });
  const temporary = join(source.path, "temporary");
  const place = { path: "", proof, temporaryFolder: temporary };
  const destination = stack.use(await createFtpsDestination({ name: "dsh", server, ...place }));
  const kept = stack.move();
  return {
    destination,
    folder: source.path,
    inspect: zipInspector({ server: ftpsFiles(server), path: "", readsBack: true }, source.path),
    instances: () => instancesBelow(folder),
    attached: () => attachedBelow(folder),
    wipe: () => emptyFolder(folder),
    mend: proxy.mend,
    cutAfter: proxy.cutAfter,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe.skipIf(!requirePythonPeers()).each([
  ["implicit", "digest"],
  ["explicit", "sha256"],
] as const)("an FTPS server (pyftpdlib) as destination, %s TLS, proof %s", (security, proof) => {
  destinationContract((options) => sceneOf(options, security, proof), { canBeCut: true, takesFiles: true });
});
