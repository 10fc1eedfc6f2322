import { tagOf } from "../../dicom/tag.ts";
import type { PixlOperation } from "./pixl-operations.ts";

/**
 * What PIXL (github.com/SAFEHR-data/PIXL, tag-operations/base.yaml of 2026-07-01) does for every project, by operation. Its two private
 * elements, a project's name, are left out.
 */
const BASE: Readonly<Record<string, string>> = {
  keep: `
    00080005 00080008 00080016 00080060 00080061 00080070 00081030 0008103E 00081090 00081160 00089205 00089206 00089207 00100040 00180050
    00180060 00181020 00181149 00181190 00200011 00200012 00200013 00200020 00200032 00200037 00200062 00280002 00280004 00280006 00280010
    00280011 00280030 00280100 00280101 00280102 00280103 00280301 00280302 00281050 00281051 00281052 00281053 00281054 00281055 00282110
    00283010 00409224 00409225 00540220 7FE00010`,
  replace_UID: "00080014 00080018 00081155 0020000D 0020000E 00200052 00200200 0040A124 00880140 30060024 300600C2",
  replace: "00080020 00080030 00080050 00080090 00100010 00100030 00180022 00185100 00200010 00201040",
  "secure-hash": "00100020",
};

/** The base operations, as if read from a file. */
export function pixlBaseOperations(): readonly PixlOperation[] {
  return Object.entries(BASE).flatMap(([op, tags]) =>
    tags
      .trim()
      .split(/\s+/)
      .map((tag, index) => ({ tag: tagOf(Number.parseInt(tag, 16)), name: tag, op, path: ["base", index] })),
  );
}
