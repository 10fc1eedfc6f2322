import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { runProgram } from "../../../test/peers/process.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { sampleCt, writeSample } from "../../../test/peers/sample-objects.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { UserIdentity } from "../upper-layer/user-identity.ts";
import { serve } from "./testing/pair.ts";

/** PS3.7 D.3.3.7: each kind of identity as storescu names it, with a positive response asked for. */
describe.skipIf(!requirePeer("storescu"))("a user of storescu", () => {
  /** Who our provider takes storescu's user for, and whether the instance has come. */
  async function authenticated(args: readonly string[], isAuthentic: boolean) {
    const seen: UserIdentity[] = [];
    const { received, handler } = memoryStore();
    const authenticate = (identity: UserIdentity) => seen.push(identity) > 0 && isAuthentic;
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "token"), "e30.e30.c2lnbmVk");
    const file = await writeSample(folder.path, sampleCt(1, 1, 1));
    await using server = await serve({ handlers: { store: handler }, rules: { authenticate } });
    const titles = ["-aet", "STORESCU", "-aec", "ARCHIVE"];
    const { exitCode } = await runProgram(
      "storescu",
      [...titles, ...args, "-rsp", "127.0.0.1", String(server.port), file],
      folder.path,
    );
    return { seen, stored: received.size, succeeded: exitCode === 0 };
  }

  const token = Buffer.from("e30.e30.c2lnbmVk");

  it.each<readonly [string, readonly string[], object]>([
    ["a name", ["-usr", "reader"], { kind: "username", username: "reader" }],
    [
      "a name and a passcode",
      ["-usr", "reader", "-pwd", "geheim"],
      { kind: "username-passcode", username: "reader", passcode: "geheim" },
    ],
    ["a Kerberos ticket", ["-kt", "token"], { kind: "kerberos", token }],
    ["a SAML assertion", ["--saml", "token"], { kind: "saml", token }],
    ["a JSON web token", ["--jwt", "token"], { kind: "jwt", token }],
  ])("is known by %s, and told so", async (_, args, identity) => {
    const { seen, stored, succeeded } = await authenticated(args, true);
    const [user] = seen;
    const told = user !== undefined && "token" in user ? { ...user, token: Buffer.from(user.token) } : user;
    expect(told).toEqual({ ...identity, positiveResponseRequested: true });
    expect([seen.length, stored, succeeded]).toEqual([1, 1, true]);
  });

  it("is sent away when it is not known", async () => {
    expect(await authenticated(["-usr", "reader", "-pwd", "falsch"], false)).toMatchObject({
      stored: 0,
      succeeded: false,
    });
  });
});
