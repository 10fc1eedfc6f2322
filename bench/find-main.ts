import { findContexts } from "../src/archive/dimse/contexts.ts";
import { identifierFromKeys } from "../src/archive/find-keys.ts";
import { parseAeTitle, parseDicomAddress } from "../src/dicom/ae-title.ts";
import { openAssociation } from "../src/network/dimse/association.ts";

/** `find-main.ts AET@HOST:PORT COUNT UID…`: searches study by study, one after the other over one association; prints how long it took. */
const [address = "", count = "", ...studies] = process.argv.slice(2);

await using association = await openAssociation({
  address: parseDicomAddress(address),
  callingAeTitle: parseAeTitle("BENCH"),
  contexts: findContexts(),
});
let answers = 0;
const startedAtMs = performance.now();
for (let search = 0; search < Number(count); search += 1) {
  const identifier = identifierFromKeys("STUDY", [`StudyInstanceUID=${studies[search % studies.length]}`]);
  for await (const _ of association.find({ model: "study-root", identifier })) answers += 1;
}
const seconds = (performance.now() - startedAtMs) / 1_000;
process.stdout.write(`${JSON.stringify({ seconds, answers })}\n`);
