import { expect, it } from "vitest";
import { type FileServer, replaceFile } from "../../src/delivery/files/file-server.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { FileSession } from "../../src/network/file-transfer/file-session.ts";

/** A server that does not rename onto a file, as SFTP's protocol has it. */
function sessionOver(files: Map<string, string>): FileSession {
  const session: Pick<FileSession, "rename" | "remove" | "sizeOf"> = {
    async rename(from, to) {
      const content = files.get(from);
      if (files.has(to) || content === undefined) throw new GatewayError("SFTP_REFUSED", {});
      files.delete(from);
      files.set(to, content);
    },
    remove: async (path) => void files.delete(path),
    sizeOf: async (path) => files.get(path)?.length,
  };
  return session as FileSession;
}

it("replaces a file although an earlier try left another one aside", async () => {
  const files = new Map(Object.entries({ "a.part": "new", a: "old", "a.old": "older" }));
  const server = { codes: { refused: "SFTP_REFUSED" } } as FileServer;
  await replaceFile(sessionOver(files), server, { arriving: "a.part", path: "a", aside: "a.old" });
  expect(Object.fromEntries(files)).toEqual({ a: "new" });
});
