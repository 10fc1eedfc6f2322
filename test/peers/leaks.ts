import { afterAll } from "vitest";
import { leaksAfterSettling, openResources } from "./open-resources.ts";

/** Set-up of every test file: one that leaves something open fails, whatever its tests said. */
const baseline = openResources();

afterAll(async () => {
  const leaks = await leaksAfterSettling(baseline);
  if (leaks.length > 0) throw new Error(`this test file leaves open: ${leaks.join(", ")}`);
});
