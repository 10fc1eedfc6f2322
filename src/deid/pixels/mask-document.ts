import { z } from "zod";
import { PatternError } from "../profiles/linear-pattern.ts";
import { isPatternText, patternOf } from "../profiles/pattern.ts";
import type { PixelMask, TextTest } from "./pixel-settings.ts";

const MOST_MASKS = 500;
const MOST_RECTANGLES = 64;
/** Rows and columns are of 16 bits. PS3.3 C.7.6.3. */
const LARGEST_SIZE = 65_535;

const size = z.int().min(1).max(LARGEST_SIZE);
const offset = z.int().min(0).max(LARGEST_SIZE);
const uid = z.string().regex(/^[0-9]+(?:\.[0-9]+)+$/, "must be a UID");
const uids = z.union([uid, z.array(uid).min(1)]);

/** A text that must be the device's own, in any letter case, or `/pattern/` that is looked for in it. */
const device = z
  .string()
  .min(1)
  .max(1000)
  .transform((written, context): TextTest => {
    if (!isPatternText(written)) {
      const wanted = written.trim().toLowerCase();
      return { source: written, test: (text) => text.trim().toLowerCase() === wanted };
    }
    try {
      return patternOf(written, "anywhere");
    } catch (thrown) {
      if (!(thrown instanceof PatternError)) throw thrown;
      context.addIssue({ code: "custom", message: thrown.message });
      return z.NEVER;
    }
  });

const conditions = z
  .strictObject({
    rows: size,
    columns: size,
    sop_class: uids.optional(),
    manufacturer: device.optional(),
    model: device.optional(),
    software: device.optional(),
    regions: z.int().min(0).max(256).optional().meta({ description: "Items of the Sequence of Ultrasound Regions." }),
    transfer_syntax: uids.optional(),
  })
  .refine(
    ({ sop_class, manufacturer, model }) =>
      sop_class !== undefined || manufacturer !== undefined || model !== undefined,
    "must name a SOP class, a manufacturer or a model",
  );

const rectangle = z.tuple([offset, offset, size, size]).meta({ description: "x, y, width and height in pixels." });

const mask = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,40}$/, "must be 1 to 40 lower-case letters, digits and hyphens"),
    when: conditions,
    rectangles: z.array(rectangle).min(1).max(MOST_RECTANGLES).optional(),
    outside: z.literal("regions").optional(),
  })
  .refine(
    ({ rectangles, outside }) => (rectangles === undefined) !== (outside === undefined),
    "must have either `rectangles` or `outside: regions`",
  );

/** A mask file as it is written: YAML 1.2, or the same as JSON. */
export const maskDocument = z.strictObject({ masks: z.array(mask).min(1).max(MOST_MASKS) });

export function masksOf({ masks }: z.output<typeof maskDocument>): readonly PixelMask[] {
  return masks.map(({ name, when, rectangles }) => ({
    name,
    when: {
      rows: when.rows,
      columns: when.columns,
      sopClassUids: listOf(when.sop_class),
      manufacturer: when.manufacturer,
      model: when.model,
      software: when.software,
      regionCount: when.regions,
      transferSyntaxUids: listOf(when.transfer_syntax),
    },
    area:
      rectangles === undefined
        ? { kind: "outside-regions" }
        : {
            kind: "rectangles",
            rectangles: rectangles.map(([x, y, width, height]) => ({ x, y, width, height })),
          },
  }));
}

function listOf(written: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof written === "string" ? [written] : written;
}
