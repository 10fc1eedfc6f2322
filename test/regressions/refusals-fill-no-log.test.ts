import { expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { storageContextsFor } from "../../src/network/dimse/storage-contexts.ts";
import { type LogFields, silentLogger } from "../../src/units/logger.ts";
import { freePort } from "../peers/free-port.ts";
import { outgoingSample, sampleCt } from "../peers/sample-objects.ts";
import { openApiSite } from "../support/api.ts";

const PARTS = 500;
const REFUSED = "incoming instance refused";

/** One request of 100,000 parts that were no DICOM wrote 100,000 lines, and a sender whose instances nobody wants a line for each. */
it("tells once of what is refused again and again, and how often it was when it ends", async () => {
  const lines: LogFields[] = [];
  const warn = (event: string, fields: LogFields = {}): void => {
    if (event === REFUSED) lines.push(fields);
  };
  const port = await freePort();
  const junk = `\r\n--B\r\nContent-Type: application/dicom\r\n\r\njunk`.repeat(PARTS);
  {
    await using api = await openApiSite({
      logger: { ...silentLogger, warn },
      settings: { dicom: { port }, intake: { rules: [{ name: "none", callingAeTitles: ["CT1"], refuse: "No" }] } },
    });
    await api.call("POST", "//dicomweb/studies", {
      token: await api.tokenOf("router", "sender"),
      body: Buffer.from(`${junk}\r\n--B--\r\n`),
      headers: { "content-type": 'multipart/related; type="application/dicom"; boundary=B' },
    });
    expect(lines).toHaveLength(1);
    const unwanted = Array.from({ length: 5 }, (_, index) => outgoingSample(sampleCt(1, 1, index + 1)));
    const address = { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port };
    const [contexts = []] = storageContextsFor(unwanted);
    await using association = await openAssociation({ address, callingAeTitle: parseAeTitle("CT1"), contexts });
    for (const instance of unwanted) await association.store(instance);
    expect(lines).toHaveLength(2);
  }
  expect(lines.slice(2).map(({ count }) => count)).toEqual([PARTS - 1, 4]);
});
