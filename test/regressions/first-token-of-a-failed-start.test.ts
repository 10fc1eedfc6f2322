import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openService } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

it("makes the first admin's token with the start that succeeds, so that somebody is told it", async () => {
  await using folder = await temporaryFolder();
  const home = join(folder.path, "home");
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const settings = { home, dicom: { port, host: "127.0.0.1" } };
  await expect(openService({ settings })).rejects.toMatchObject({ code: "LISTENER_PORT_IN_USE" });
  other.close();
  await once(other, "close");
  await using service = await openService({ settings: { home } });
  expect(service.gateway.firstToken).toMatch(/./);
});
