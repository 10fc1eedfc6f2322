import { expect, it } from "vitest";
import { outlookOf } from "./outlook.ts";

it("says of what ended that it needs somebody, however the code passes elsewhere", () => {
  expect(outlookOf({ class: "transient", studies: 3 }).word).toBe("needs somebody");
  expect(outlookOf({ class: "permanent", studies: 1 }).word).toBe("needs somebody");
});

it("says of what is tried again that it passes by itself", () => {
  expect(outlookOf({ class: "transient", studies: 0 }).word).toBe("passes by itself");
});

it("says of what may have happened that it may, whether it ended or not", () => {
  expect(outlookOf({ class: "ambiguous", studies: 0 }).word).toBe("may or may not have happened");
  expect(outlookOf({ class: "ambiguous", studies: 1 }).word).toBe("may or may not have happened");
});
