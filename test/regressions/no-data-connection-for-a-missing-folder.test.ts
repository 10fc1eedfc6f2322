import { expect, it } from "vitest";
import { openFtps } from "../../src/network/ftps/ftps-client.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { startFtpsPeer } from "../peers/ftps-server.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hasPeer = requirePythonPeers();

/** A server closed a data connection that nothing came over with a 226 of its own, which the next command took for its answer. */
it.skipIf(!hasPeer)("a folder that is not there is asked for without a data connection", async () => {
  await using folder = await temporaryFolder();
  const unknownCommands = ["SIZE", "EPSV", "PASV"];
  await using peer = await startFtpsPeer({ folder: folder.path, security: "implicit", unknownCommands });
  const { port, username, password, certificate } = peer;
  const tls = { certificateAuthorities: certificate.certificate };
  const server = { host: "127.0.0.1", port, security: "implicit", username, password, tls } as const;
  await using session = await openFtps(server, neverAborted());
  expect(await session.list("/missing")).toBeUndefined();
  expect(await session.sizeOf("/missing/study.zip")).toBeUndefined();
  expect(await session.list("missing")).toBeUndefined();
});
