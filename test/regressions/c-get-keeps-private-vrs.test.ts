import { expect, it } from "vitest";
import { storageSopClasses } from "../../src/dicom/dictionary/sop-classes.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { storageContextGroups } from "../../src/network/dimse/get-contexts.ts";

/** pynetdicom's archive prefers implicit VR for a context of both plain syntaxes, and converted into it: private elements lost their VRs. */
it("proposes explicit VR alone too, in the first association of a C-GET", () => {
  const classes = Object.values(storageSopClasses).slice(0, 40);
  const [first = []] = storageContextGroups(classes);
  const alone = (syntax: string) =>
    first
      .filter(({ transferSyntaxUids }) => transferSyntaxUids.length === 1 && transferSyntaxUids[0] === syntax)
      .map(({ abstractSyntaxUid }) => abstractSyntaxUid);
  expect(alone(EXPLICIT_VR_LITTLE_ENDIAN)).toEqual(classes);
  expect(alone(IMPLICIT_VR_LITTLE_ENDIAN)).toEqual(classes);
});
