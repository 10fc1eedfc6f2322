import { expect, it } from "vitest";
import { outlookOf } from "./outlook.ts";

it("says of what ended that it needs somebody, however the code passes elsewhere", () => {
  expect(outlookOf({ code: "PEER_UNREACHABLE", class: "transient", studies: 3 }).word).toBe("needs somebody");
  expect(outlookOf({ code: "STUDY_NOT_FOUND", class: "permanent", studies: 1 }).word).toBe("needs somebody");
});

it("says of what is tried again that it passes by itself", () => {
  expect(outlookOf({ code: "PEER_UNREACHABLE", class: "transient", studies: 0 }).word).toBe("passes by itself");
});

it("says of what waits for a paused archive that it waits for somebody, who is to resume it", () => {
  expect(outlookOf({ code: "ARCHIVE_PAUSED", class: "transient", studies: 0 }).word).toBe("waits for somebody");
});

it("says of what may have happened that it may, whether it ended or not", () => {
  expect(outlookOf({ code: "DELIVERY_UNCONFIRMED", class: "ambiguous", studies: 0 }).word).toBe(
    "may or may not have happened",
  );
  expect(outlookOf({ code: "DELIVERY_UNCONFIRMED", class: "ambiguous", studies: 1 }).word).toBe(
    "may or may not have happened",
  );
});
