import { expect, it } from "vitest";
import { deidentifyObject, profileWith } from "../../src/deid/testing/deidentify.ts";
import { ctImage } from "../../src/deid/testing/objects.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { bytesOf, element } from "../../src/dicom/values.ts";

/** Spectroscopy Data: of VR OF, with a value multiplicity of 1. */
const SPECTROSCOPY_DATA = tagOf(0x56000020);

it("keeps all numbers of a stream, not as many as its multiplicity has", async () => {
  const numbers = Uint8Array.from({ length: 64 }, (_, index) => index);
  const image = ctImage([element(SPECTROSCOPY_DATA, "OF", numbers)]);
  const { dataSet } = await deidentifyObject(image, profileWith([]));
  expect(bytesOf(dataSet, SPECTROSCOPY_DATA)).toEqual(numbers);
});
