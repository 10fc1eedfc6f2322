import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { startSshd } from "../../../test/peers/sshd.ts";
import { openSftp } from "./sftp-client.ts";

const never = new AbortController().signal;

describe.skipIf(!requirePeer("sshd"))("an SFTP server (OpenSSH)", () => {
  it.each([
    ["of another", [`SHA256:${"A".repeat(43)}`]],
    ["that is half written", ["SHA256:"]],
    ["at all", []],
  ])("that has no key %s is told nothing about us", async (_, hostKeys) => {
    await using server = await startSshd();
    const { port, username, privateKey, hostKey, folder, output } = server;
    const known = { host: "127.0.0.1", port, username, privateKey, hostKeys: [hostKey] };
    await expect(openSftp({ ...known, hostKeys }, never)).rejects.toMatchObject({ code: "SFTP_HOST_KEY_UNKNOWN" });
    expect(output()).not.toContain("Accepted");
    await using session = await openSftp(known, never);
    expect(await session.sizeOf(join(folder, "nothing"))).toBeUndefined();
    expect(output()).toContain("Accepted");
  });
});
