import { z } from "zod";
import { urlSetting } from "./scalars.ts";

export const observeSettings = z.strictObject({
  traces: z
    .strictObject({
      url: urlSetting.meta({
        description: "Where a collector takes spans by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces.",
      }),
      share: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .meta({ description: "Share of the studies that is traced, from 0 to 1." }),
    })
    .optional()
    .meta({
      description: "Spans of studies, stages, archives and deliveries for a collector. Left out: none are made.",
    }),
});
