import { expect, it } from "vitest";
import { errorRegistry } from "../../src/errors/registry.ts";
import { REFUSALS } from "../../web/src/pages/log-in/refused-log-in.ts";

it("says on the log-in page of every code what the registry says", () => {
  const said = Object.entries(errorRegistry).filter(([code]) => Object.hasOwn(REFUSALS, code));
  expect(Object.fromEntries(said.map(([code, { summary: title, remedy }]) => [code, { title, remedy }]))).toEqual(
    REFUSALS,
  );
});
