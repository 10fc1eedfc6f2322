import { expect, it } from "vitest";
import { trimUid } from "../../src/dicom/uid.ts";
import { proposeAssociation } from "../../src/network/upper-layer/negotiation.ts";
import { decodePdu } from "../../src/network/upper-layer/pdu-decoder.ts";
import { encodePdu } from "../../src/network/upper-layer/pdu-encoder.ts";

const REQUESTS = 50;

/** 65,000 blanks and a letter as the version name took 4 seconds to read, in which nothing else was served; UIDs likewise. */
it("reads long runs of blanks in linear time: in quadratic time, these would take minutes", () => {
  expect(trimUid(`${" ".repeat(2_000_000)}1.2\0 `)).toBe("1.2");
  const titles = { calledAeTitle: "CALLED", callingAeTitle: "CALLING" };
  const context = { abstractSyntaxUid: "1.2.840.10008.1.1", transferSyntaxUids: ["1.2.840.10008.1.2"] };
  const request = proposeAssociation(titles, [context], 16_384);
  const implementationVersionName = `A${" ".repeat(65_000)}B`;
  const bytes = encodePdu({ ...request, userInformation: { ...request.userInformation, implementationVersionName } });
  for (let count = 0; count < REQUESTS; count += 1) {
    expect(decodePdu(0x01, bytes.subarray(6))).toMatchObject({ userInformation: { implementationVersionName } });
  }
});
