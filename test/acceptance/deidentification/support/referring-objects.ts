import { ctImage, text, unsigned } from "../../../../src/deid/testing/objects.ts";
import { code, content, image, report } from "../../../../src/deid/testing/reports.ts";
import type { DataElement, DataSet } from "../../../../src/dicom/data-set.ts";
import { tagOf } from "../../../../src/dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textsOf, uidOf } from "../../../../src/dicom/values.ts";
import { identityElements, type StudyIdentity } from "./studies.ts";
import type { Tokens } from "./tokens.ts";

const CT = "1.2.840.10008.5.1.4.1.1.2";
const sequence = (tag: number, ...items: readonly DataSet[]): DataElement => sequenceElement(tagOf(tag), items);
const item = (...elements: readonly DataElement[]): DataSet => dataSetOf(elements);
/** PS3.3 10.8 SOP Instance Reference Macro. */
const reference = (uid: string): DataSet => item(text(0x00081150, CT), text(0x00081155, uid));
const PIXELS = new Set([0x0028, 0x7fe0, 0x0018]);

/** An object of the study that refers to its images. `planted` texts stand where such objects carry free text. */
export interface Referring {
  readonly study: StudyIdentity;
  readonly images: readonly DataSet[];
  readonly tokens: Tokens;
}

const uidsOf = (images: readonly DataSet[]): string[] => images.map((one) => uidOf(one, tagOf(0x00080018)) ?? "");

function derived({ study, tokens }: Referring, number: number, own: readonly DataElement[]): DataSet {
  const object = ctImage([
    ...identityElements(study),
    text(0x00080018, tokens.uid()),
    text(0x0020000e, tokens.uid()),
    text(0x00200013, String(number)),
    ...own,
  ]);
  return object;
}

const withoutPixels = (object: DataSet): DataSet => new Map([...object].filter(([tag]) => !PIXELS.has(tag >>> 16)));

/** PS3.3 A.19: one region with a contour on every image. */
export function structureSet(of: Referring, contours: readonly string[]): DataSet {
  const { study, images, tokens } = of;
  const uids = uidsOf(images);
  const series = item(text(0x0020000e, study.seriesInstanceUid), sequence(0x30060016, ...uids.map(reference)));
  const studies = item(
    text(0x00081150, "1.2.840.10008.3.1.2.3.1"),
    text(0x00081155, study.studyInstanceUid),
    sequence(0x30060014, series),
  );
  const outlines = contours.map((points, index) =>
    item(
      sequence(0x30060016, reference(uids[index] ?? "")),
      text(0x30060042, "CLOSED_PLANAR"),
      text(0x30060046, String(points.split("\\").length / 3)),
      text(0x30060050, points),
    ),
  );
  return withoutPixels(
    derived(of, 101, [
      text(0x00080016, "1.2.840.10008.5.1.4.1.1.481.3"),
      text(0x00080060, "RTSTRUCT"),
      text(0x30060002, tokens.text()),
      text(0x30060004, tokens.text()),
      sequence(0x30060010, item(text(0x00200052, study.frameOfReferenceUid), sequence(0x30060012, studies))),
      sequence(
        0x30060020,
        item(
          text(0x30060022, "1"),
          text(0x30060024, study.frameOfReferenceUid),
          text(0x30060026, `${tokens.text()} tumour`),
          text(0x30060036, "MANUAL"),
        ),
      ),
      sequence(0x30060039, item(sequence(0x30060040, ...outlines), text(0x30060084, "1"))),
    ]),
  );
}

/** PS3.3 A.51: one segment, one frame for each image. */
export function segmentation(of: Referring): DataSet {
  const { study, images, tokens } = of;
  const uids = uidsOf(images);
  const series = item(text(0x0020000e, study.seriesInstanceUid), sequence(0x0008114a, ...uids.map(reference)));
  const frames = uids.map((uid, index) =>
    item(
      sequence(0x00089124, item(sequence(0x00082112, reference(uid)), sequence(0x00089215, code("113076 DCM")))),
      sequence(0x00209111, item(element(tagOf(0x00209157), "UL", Uint8Array.of(index + 1, 0, 0, 0)))),
      sequence(0x0062000a, item(unsigned(0x0062000b, 1))),
    ),
  );
  return derived(of, 102, [
    text(0x00080016, "1.2.840.10008.5.1.4.1.1.66.4"),
    text(0x00080060, "SEG"),
    text(0x00080008, "DERIVED\\PRIMARY"),
    sequence(0x00081115, series),
    text(0x00280008, String(uids.length)),
    unsigned(0x00280010, 4),
    unsigned(0x00280011, 4),
    unsigned(0x00280100, 1),
    unsigned(0x00280101, 1),
    unsigned(0x00280102, 0),
    text(0x00620001, "BINARY"),
    sequence(
      0x00620002,
      item(
        unsigned(0x00620004, 1),
        text(0x00620005, `${tokens.text()} lesion`),
        text(0x00620008, "MANUAL"),
        sequence(0x00620003, code("49755003 SCT")),
        sequence(0x0062000f, code("39607008 SCT")),
        text(0x00620021, tokens.uid()),
      ),
    ),
    sequence(0x52009229, item()),
    sequence(0x52009230, ...frames),
    element(
      tagOf(0x7fe00010),
      "OB",
      Uint8Array.from({ length: uids.length * 2 }, (_, index) => index + 1),
    ),
  ]);
}

/** PS3.3 A.33.1: a polyline and a text on the first image. */
export function presentationState(of: Referring): DataSet {
  const { study, images, tokens } = of;
  const uids = uidsOf(images);
  const first = reference(uids[0] ?? "");
  const line = Buffer.alloc(16);
  for (const [index, number] of [1, 1, 5, 3].entries()) line.writeFloatLE(number, index * 4);
  const graphic = item(
    text(0x00700005, "PIXEL"),
    unsigned(0x00700020, 2),
    unsigned(0x00700021, 2),
    element(tagOf(0x00700022), "FL", line),
    text(0x00700023, "POLYLINE"),
    text(0x00700024, "N"),
  );
  return withoutPixels(
    derived(of, 103, [
      text(0x00080016, "1.2.840.10008.5.1.4.1.1.11.1"),
      text(0x00080060, "PR"),
      text(0x00700080, "STATE"),
      text(0x00700081, tokens.text()),
      text(0x00700084, `${tokens.text()}^${tokens.text()}`),
      sequence(
        0x00081115,
        item(text(0x0020000e, study.seriesInstanceUid), sequence(0x00081140, ...uids.map(reference))),
      ),
      sequence(
        0x00700001,
        item(sequence(0x00081140, first), text(0x00700002, "LAYER1"), sequence(0x00700009, graphic)),
      ),
      sequence(0x00700060, item(text(0x00700002, "LAYER1"), text(0x00700062, "1"))),
    ]),
  );
}

/** PS3.3 A.35.4: the images that somebody chose, in a content tree and as evidence. */
export function keyObjectSelection(of: Referring): DataSet {
  const { study, images, tokens } = of;
  const uids = uidsOf(images);
  const series = item(text(0x0020000e, study.seriesInstanceUid), sequence(0x00081199, ...uids.map(reference)));
  return report(
    "1.2.840.10008.5.1.4.1.1.88.59",
    [
      content("TEXT", "113012 DCM", [text(0x0040a160, `seen by ${tokens.text()}`)]),
      ...uids.map((uid) => image("113000 DCM", uid)),
    ],
    [
      ...identityElements(study),
      text(0x00080018, tokens.uid()),
      text(0x0020000e, tokens.uid()),
      text(0x00080060, "KO"),
      text(0x00200013, "104"),
      sequence(0x0040a043, code("113000 DCM")),
      sequence(0x0040a375, item(text(0x0020000d, study.studyInstanceUid), sequence(0x00081115, series))),
    ],
  );
}

/** Where an object names one of the known UIDs, below its own: "3006.0010/3006.0012/0008.1155 image 2". */
export function referencesIn(dataSet: DataSet, known: ReadonlyMap<string, string>, path = ""): string[] {
  return [...dataSet.values()].flatMap(({ tag, vr }) => {
    const here = `${path}${tag.toString(16).padStart(8, "0")}`;
    if (vr === "SQ") {
      return itemsOf(dataSet, tag).flatMap(({ dataSet: each }) => referencesIn(each, known, `${here}/`));
    }
    if (vr !== "UI") return [];
    return textsOf(dataSet, tag).flatMap((uid) => (known.has(uid) ? [`${here} ${known.get(uid)}`] : []));
  });
}
