/** `npm run docs`: writes the pages that come from tables of the code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { GENERATED_PAGES } from "./generated-pages.ts";
import { ROOT } from "./run-step.ts";

for (const [path, page] of Object.entries(GENERATED_PAGES)) writeFileSync(join(ROOT, path), page());
