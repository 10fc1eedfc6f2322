import { expect, it } from "vitest";
import { parseAeTitle } from "../src/dicom/ae-title.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import { refuseEverything } from "../src/gateway/listener.ts";
import { openAssociation } from "../src/network/dimse/association.ts";
import { startDimseServer } from "../src/network/dimse/server.ts";
import { conformancePage } from "./conformance-page.ts";

const page = conformancePage();
const sections = new Map(page.split("\n## ").map((section) => [section.split("\n", 1)[0] ?? "", section]));

/** The cells of a section's rows, those of headers and rules apart. */
function rowsOf(title: string): readonly (readonly string[])[] {
  const lines = (sections.get(title) ?? "").split("\n").filter((line) => line.startsWith("| "));
  return lines.map((line) => line.slice(2, -2).split(" | "));
}

it("a listener accepts the SOP classes that the page says it gives, and no others", async () => {
  const services = rowsOf("1. Overview").filter(([, uid]) => uid?.startsWith("1.2."));
  const storage = rowsOf("Appendix A. Storage SOP classes").flatMap(([, uid]) =>
    uid?.startsWith("1.2.") ? [uid] : [],
  );
  const claimed = [...services.flatMap(([, uid = "", , scp]) => (scp === "yes" ? [uid] : [])), ...storage];
  const proposed = [...services.map(([, uid = ""]) => uid), ...storage, "1.2.840.10008.5.1.4.31"];

  await using listener = await startDimseServer({
    host: "127.0.0.1",
    port: 0,
    aeTitle: parseAeTitle("RADFERRY"),
    handlers: { store: refuseEverything, commitmentRequest: () => Promise.resolve({ status: 0x0000 }) },
  });
  const address = { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port: listener.port };
  const accepted: string[] = [];
  for (let start = 0; start < proposed.length; start += 128) {
    const contexts = proposed.slice(start, start + 128).map((abstractSyntaxUid) => ({
      abstractSyntaxUid,
      transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN],
    }));
    await using association = await openAssociation({ address, callingAeTitle: parseAeTitle("ARCHIVE"), contexts });
    accepted.push(...association.acceptedContexts.map(({ abstractSyntaxUid }) => abstractSyntaxUid));
  }
  expect(accepted).toEqual(claimed);
});

it("every table has rows, and every cell that must have something has it", () => {
  expect(page).not.toMatch(/undefined|\[object/);
  for (const [title, section] of sections) {
    const rules = section.split("\n").filter((line) => /^\|(?:---\|)+$/.test(line)).length;
    expect(rowsOf(title).length, title).toBeGreaterThanOrEqual(rules * 2);
  }
});
