import { expect, it } from "vitest";
import { codeOfRegistryError, knownRegistryCode } from "./error-codes.ts";

it("takes codes with and without what names their list", () => {
  expect(codeOfRegistryError("XDSRepositoryBusy")).toBe("RAD69_REPOSITORY_BUSY");
  expect(codeOfRegistryError("urn:oasis:names:tc:ebxml-regrep:ErrorCode:XDSRepositoryBusy")).toBe(
    "RAD69_REPOSITORY_BUSY",
  );
});

it.each(["toString", "constructor", "__proto__"])("knows no code %s", (errorCode) => {
  expect(codeOfRegistryError(errorCode)).toBe("RAD69_SERVER_ERROR");
});

it.each([
  ["XDSDocumentUniqueIdError", "XDSDocumentUniqueIdError"],
  ["urn:dicom:wado:0015", "urn:dicom:wado:0015"],
  ["XDSWhateverError", "XDSWhateverError"],
  ["Doe^Jane:XDSRepositoryError", "XDSRepositoryError"],
  ["no study of Doe^Jane", "other"],
])("tells of the code %j as %s, and nothing else that a source wrote into it", (errorCode, told) => {
  expect(knownRegistryCode(errorCode)).toBe(told);
});
