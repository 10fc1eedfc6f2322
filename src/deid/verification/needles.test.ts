import { expect, it } from "vitest";
import { createIdentifiers } from "./needles.ts";

it("finds a text as the strongest kind that is known of it, also where it was sought before that was told", () => {
  const identifiers = createIdentifiers();
  const ignored = new Set(["text"] as const);
  const found = () => identifiers.needles().find(Buffer.from("seen by jonesville"), 4, { isText: true, ignored });
  identifiers.add("identifiers", "jonesville", "text");
  expect(found()).toBeUndefined();
  identifiers.add("identifiers", "jonesville", "name");
  expect(found()).toBe("name");
  identifiers.add("identifiers", "jonesville", "text");
  expect(found()).toBe("name");
});
