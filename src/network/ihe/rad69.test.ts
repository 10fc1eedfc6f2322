import { expect, it } from "vitest";
import { someInstances } from "./testing/instances.ts";
import { rehearse } from "./testing/rehearsal.ts";

it("retrieves", async () => {
  const held = someInstances(3, 2);
  const result = await rehearse({ held });
  expect(result).toMatchObject({ codes: [], wrong: [], requests: 2 });
  expect(result.files).toEqual(held.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort());
});
