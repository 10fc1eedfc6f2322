import { expect, it } from "vitest";
import { trimUid } from "../../src/dicom/uid.ts";

/** NULs in front of other padding used to stay, so that an AE title changed when it was written and read again. */
it.each(["CALLING     \0\0\0\u00a0", " \tCALLING\0 \0\n", "CALLING"])("takes all padding off %j", (text) => {
  expect(trimUid(text)).toBe("CALLING");
});
