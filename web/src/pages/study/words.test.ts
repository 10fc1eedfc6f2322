import { expect, it } from "vitest";
import { stayedBehindText, withoutReportText } from "./words.ts";

it("tells why instances stayed behind, and what they are in the standard's words", () => {
  const kinds = [
    { sopClass: "SecondaryCaptureImageStorage", modality: "OT", count: 2 },
    { sopClass: "CTImageStorage", modality: "", count: 1 },
    { sopClass: "", modality: "", count: 1 },
  ];
  expect(stayedBehindText({ code: "BURNED_IN_ANNOTATION", reason: "image-type", count: 4, kinds })).toBe(
    "4 instances: image-type (BURNED_IN_ANNOTATION): 2 Secondary Capture Image Storage (OT), 1 CT Image Storage, 1 of another SOP class",
  );
  expect(stayedBehindText({ code: "EXCLUDED", reason: "x", count: 1 })).toBe("1 instance: x");
});

it("does not call a study not de-identified that may have been", () => {
  const finished = { finishedAt: "2026-11-24T00:00:00Z" };
  expect(withoutReportText(true, finished)).toBe("Loading…");
  expect(withoutReportText(false, finished)).toBe("No report of a de-identification is kept.");
  expect(withoutReportText(false, {})).toBe("It was not de-identified yet.");
});
