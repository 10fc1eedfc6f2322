import { createFlipImaging } from "../src/flip.ts";

/** `flip-main.ts ENVIRONMENT PROJECT QUERY CALLS`: asks for the import status so often, after one that logs in; prints what a call took, and what it told. */
const [environment = "{}", project = "", query = "", calls = ""] = process.argv.slice(2);

await using flip = createFlipImaging(JSON.parse(environment));
await flip.getImportStatus(project, query);
const startedAtMs = performance.now();
let told = 0;
for (let call = 0; call < Number(calls); call += 1)
  told = Object.values(await flip.getImportStatus(project, query)).reduce((sum, list) => sum + list.length, 0);
const milliseconds = (performance.now() - startedAtMs) / Number(calls);
process.stdout.write(`${JSON.stringify({ milliseconds, told })}\n`);
