import { z } from "zod";
import { hostSetting, listenPortSetting, pathSetting } from "./scalars.ts";

/** Where a face listens, and where the original's own settings come from. */
const faceSettings = z.strictObject({
  host: hostSetting
    .default("0.0.0.0")
    .meta({ description: "Address it binds; every one, as the originals do in their network of containers." }),
  port: listenPortSetting.default(8_000).meta({ description: "Port it listens at; 0: any free one." }),
  environmentFile: pathSetting.optional().meta({
    description:
      "The original's .env file, readable by us alone: its names set the face up. Left out: those of the service's own environment.",
  }),
});

/** Faces that `serve` may switch on; what opens each is in the gateway. */
export const compatSettings = z.strictObject({
  flip: faceSettings.optional().meta({ description: "FLIP's imaging-api." }),
  pixl: faceSettings.optional().meta({ description: "PIXL's imaging API." }),
  scanhub: faceSettings.optional().meta({ description: "ScanHub's exam-manager and device-manager, for scanners." }),
});

export const FACE_NAMES = compatSettings.keyof().options;
export type FaceName = (typeof FACE_NAMES)[number];
